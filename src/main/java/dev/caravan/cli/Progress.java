package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/**
 * How far a job is: one line that changes on a terminal, else a line whenever the step changes or
 * ten seconds have passed.
 */
final class Progress {

  private static final int BAR = 24;
  private static final int WIDTH = 79;
  private static final Duration PAUSE = Duration.ofSeconds(10);

  private final Terminal terminal;
  private final boolean quiet;
  private String step = "";
  private Instant printed = Instant.MIN;
  private boolean open;

  Progress(Terminal terminal, boolean quiet) {
    this.terminal = terminal;
    this.quiet = quiet;
  }

  void show(JsonNode job) {
    if (quiet) {
      return;
    }
    JsonNode progress = job.path("progress");
    String now = job.path("status").asText() + " " + progress.path("step").asText("");
    if (terminal.interactive()) {
      terminal
          .err()
          .printf("\r%-" + WIDTH + "." + WIDTH + "s", bar(progress) + line(now, progress));
      terminal.err().flush();
      open = true;
    } else if (!now.equals(step) || Instant.now().isAfter(printed.plus(PAUSE))) {
      terminal.err().println(line(now, progress));
      printed = Instant.now();
    }
    step = now;
  }

  private static String bar(JsonNode progress) {
    int percent = Math.min(100, progress.path("percent").asInt());
    int full = percent * BAR / 100;
    return "[%s%s] ".formatted("#".repeat(full), "-".repeat(BAR - full));
  }

  private static String line(String now, JsonNode progress) {
    String percent =
        progress.path("percent").isNumber() ? progress.path("percent").asInt() + " %, " : "";
    String rows =
        progress.path("rows").isNumber()
            ? String.format(Locale.ROOT, "%,d rows, ", progress.path("rows").asLong())
            : "";
    return Terminal.plain(percent + rows + now.strip());
  }

  /** Nothing more comes. */
  void end() {
    if (open) {
      terminal.err().printf("\r%" + WIDTH + "s\r", "");
      terminal.err().flush();
    }
  }
}
