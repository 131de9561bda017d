package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "backfill",
    mixinStandardHelpOptions = true,
    description =
        "Loads files of the past, one for each day, by the rules of a project: each is uploaded and"
            + " imported by a job of its own, the oldest day first. A day whose file, with the"
            + " same content, was launched before is not launched again, unless that job failed or"
            + " was cancelled.")
final class BackfillCommand implements Callable<Integer> {

  private static final Set<String> ENDED_IN_VAIN = Set.of("failed", "cancelled");

  private final Terminal terminal;

  @Spec private CommandSpec command;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  @Option(names = "--from", required = true, paramLabel = "DATE", description = "The first day.")
  private LocalDate from;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "DATE",
      description = "The last day. Both are written as 2026-01-31.")
  private LocalDate to;

  private DatedFiles files;

  @Option(
      names = "--wait",
      description =
          "Begin a day when the one before it has ended, and stop at the first that fails.")
  private boolean wait;

  BackfillCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Option(
      names = "--files",
      required = true,
      paramLabel = "PATTERN",
      description =
          "Local files, with the date's place in braces: exports/sales_{yyyy-MM-dd}.csv. Days"
              + " without a file are passed over and named.")
  void files(String pattern) {
    try {
      files = DatedFiles.of(pattern);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), "--files: " + e.getMessage());
    }
  }

  @Override
  public Integer call() {
    if (from.isAfter(to)) {
      throw new ParameterException(command.commandLine(), "--from: allowed are days up to --to");
    }
    List<LocalDate> days = from.datesUntil(to.plusDays(1)).filter(this::isThere).toList();
    if (days.isEmpty()) {
      throw new CallFailed(
          CallFailed.Kind.REFUSED,
          "There is no file for any day; for the first it would be " + files.of(from));
    }
    RestClient client = server.connect(terminal);
    ArrayNode all = RestClient.JSON.createArrayNode();
    int exitCode = ExitCodes.OK;
    for (LocalDate day : days) {
      JsonNode launched = launch(client, day);
      JsonNode job = wait ? watch(client).awaitEnd(launched.path("job_id").asText()) : launched;
      all.add(job);
      tell(day, launched, job);
      exitCode = worse(exitCode, new JobReport(job).exitCode());
      if (exitCode == ExitCodes.FAILED) {
        break;
      }
    }
    if (server.json()) {
      ServerOptions.print(terminal, all);
    }
    return exitCode;
  }

  private boolean isThere(LocalDate day) {
    Path file = files.of(day);
    if (!Files.isRegularFile(file)) {
      terminal.err().println(Terminal.plain("%s: there is no %s".formatted(day, file)));
      return false;
    }
    return true;
  }

  private JsonNode launch(RestClient client, LocalDate day) {
    JsonNode upload = client.upload(files.of(day));
    ObjectNode wanted = RestClient.JSON.createObjectNode().put("project", project);
    wanted.putArray("uploads").add(upload.path("upload_id").asText());
    String content = upload.path("sha256").asText();
    String key = "backfill/%s/%s/%s".formatted(project, day, content);
    JsonNode launched = client.launch(wanted, key);
    while (isRepeated(launched) && ENDED_IN_VAIN.contains(launched.path("status").asText())) {
      launched = client.launch(wanted, key + "/after/" + launched.path("job_id").asText());
    }
    return launched;
  }

  private static boolean isRepeated(JsonNode launched) {
    return launched.path("outcome").asText().equals("repeated");
  }

  private JobWatch watch(RestClient client) {
    return new JobWatch(client, terminal, server.json());
  }

  private void tell(LocalDate day, JsonNode launched, JsonNode job) {
    if (server.json()) {
      return;
    }
    String again = isRepeated(launched) ? ", launched before" : "";
    String line =
        "%s: job %s %s%s"
            .formatted(day, job.path("job_id").asText(), job.path("status").asText(), again);
    terminal.out().println(Terminal.plain(line));
    if (job.has("result")) {
      new JobReport(job).print(terminal.out());
    }
  }

  private static int worse(int one, int other) {
    return one == ExitCodes.FAILED || other == ExitCodes.OK ? one : other;
  }
}
