package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/** Waits for the end of a job and shows how far it is. */
final class JobWatch {

  /** Short jobs are not kept waiting for, long ones not asked about all the time. */
  private static final long FIRST_PAUSE_MILLIS = 100;

  private static final long LONGEST_PAUSE_MILLIS = 1_000;

  /** So long a server may be away, restart or be too busy. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Set<String> UNDER_WAY = Set.of("queued", "running");

  private final RestClient server;
  private final Terminal terminal;
  private final boolean quiet;
  private long pauseMillis = FIRST_PAUSE_MILLIS;

  /**
   * @param quiet true to show nothing
   */
  JobWatch(RestClient server, Terminal terminal, boolean quiet) {
    this.server = server;
    this.terminal = terminal;
    this.quiet = quiet;
  }

  /** The job when it has ended. Ctrl-C ends the waiting, not the job, and says so. */
  JsonNode awaitEnd(String job) {
    Thread farewell = new Thread(() -> sayThatItGoesOn(job), "caravan-farewell");
    Runtime.getRuntime().addShutdownHook(farewell);
    try {
      Progress progress = new Progress(terminal, quiet);
      JsonNode seen = look(job);
      while (UNDER_WAY.contains(seen.path("status").asText())) {
        progress.show(seen);
        pause();
        seen = look(job);
      }
      progress.end();
      return seen;
    } finally {
      forget(farewell);
    }
  }

  private void sayThatItGoesOn(String job) {
    terminal.err().println();
    terminal.err().println("Job " + job + " goes on. To end it: jobs " + job + " --cancel");
    terminal.err().flush();
  }

  private static void forget(Thread farewell) {
    try {
      Runtime.getRuntime().removeShutdownHook(farewell);
    } catch (IllegalStateException e) {
      // the process ends: the hook is at work
    }
  }

  private JsonNode look(String job) {
    Instant end = Instant.now().plus(PATIENCE);
    while (true) {
      try {
        return server.get("/jobs/" + job);
      } catch (CallFailed e) {
        if (e.kind() == CallFailed.Kind.REFUSED || Instant.now().isAfter(end)) {
          throw e;
        }
        pause();
      }
    }
  }

  private void pause() {
    try {
      Thread.sleep(pauseMillis);
      pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, pauseMillis * 3 / 2);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CallFailed(CallFailed.Kind.ANSWER_LOST, "Interrupted.");
    }
  }
}
