package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rejects",
    mixinStandardHelpOptions = true,
    description = "Shows what a job refused, and why; writes it to a file; loads what was mended.")
final class RejectsCommand implements Callable<Integer> {

  /** The largest page of the API. */
  private static final int PAGE = 1000;

  private final Terminal terminal;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "JOB", description = "Id of the job.")
  private UUID job;

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "Needed when the job loaded several files: the one that is meant.")
  private String file;

  @ArgGroup(exclusive = true)
  private Action action = new Action();

  /** What is done with them, if they are not shown. */
  static final class Action {
    @Option(
        names = "--csv",
        paramLabel = "FILE",
        description = "Write all of them to a new file that is safe to open in a spreadsheet.")
    private Path csv;

    @Option(
        names = "--replay",
        description = "Load the records that were mended by the API, as a job, and wait for it.")
    private boolean replay;

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "100",
        description = "Show so many at the most (default: ${DEFAULT-VALUE}).")
    private int limit = 100;
  }

  RejectsCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    RestClient client = server.connect(terminal);
    if (action.replay) {
      return new Launched(server, terminal, client).follow(client.post(path("/replay", "")), true);
    }
    if (action.csv != null) {
      export(client);
    } else {
      list(client);
    }
    return ExitCodes.OK;
  }

  private String path(String what, String query) {
    String ofFile = file == null ? "" : "&file=" + RestClient.encoded(file);
    return ("/jobs/" + job + "/rejects" + what + "?" + query + ofFile)
        .replace("?&", "?")
        .replaceAll("\\?$", "");
  }

  private void export(RestClient client) {
    try (InputStream rejects = client.download(path(".csv", ""));
        OutputStream out = Files.newOutputStream(action.csv, StandardOpenOption.CREATE_NEW)) {
      rejects.transferTo(out);
    } catch (FileAlreadyExistsException e) {
      throw new CallFailed(
          CallFailed.Kind.REFUSED, action.csv + " is there already; it is not overwritten.");
    } catch (IOException e) {
      throw new CallFailed(
          CallFailed.Kind.ANSWER_LOST, action.csv + " is not complete; delete it: " + e);
    }
    terminal.err().println("Written to " + action.csv);
  }

  private void list(RestClient client) {
    ArrayNode rejects = RestClient.JSON.createArrayNode();
    String next = "";
    do {
      int wanted = Math.min(PAGE, action.limit - rejects.size());
      String after = next.isEmpty() ? "" : "&after=" + RestClient.encoded(next);
      JsonNode page = client.get(path("", "limit=" + wanted + after));
      rejects.addAll((ArrayNode) page.path("rejects"));
      next = RestClient.text(page, "next");
    } while (!next.isEmpty() && rejects.size() < action.limit);
    if (server.json()) {
      ServerOptions.print(terminal, rejects);
      return;
    }
    print(rejects);
    if (!next.isEmpty()) {
      terminal.err().println("There are more; --limit shows them, --csv writes all of them.");
    }
  }

  private void print(ArrayNode rejects) {
    Table table = new Table("line", "column", "code", "status", "record", "message");
    for (JsonNode reject : rejects) {
      table.add(
          RestClient.text(reject, "line"),
          RestClient.text(reject, "column"),
          RestClient.text(reject, "code"),
          RestClient.text(reject, "status"),
          RestClient.text(reject, "raw"),
          RestClient.text(reject, "message"));
    }
    table.print(terminal.out());
  }
}
