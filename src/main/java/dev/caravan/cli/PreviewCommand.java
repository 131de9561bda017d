package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "preview",
    mixinStandardHelpOptions = true,
    description =
        "Shows which files an import of a project would load, into which tables, and the first rows"
            + " of some. Loads nothing.")
final class PreviewCommand implements Callable<Integer> {

  private static final int ROWS = 5;

  private final Terminal terminal;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  PreviewCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    JsonNode preview =
        server.connect(terminal).post("/projects/" + RestClient.encoded(project) + "/preview");
    if (server.json()) {
      ServerOptions.print(terminal, preview);
    } else {
      print(preview);
    }
    return ExitCodes.OK;
  }

  private void print(JsonNode preview) {
    Table table = new Table("file", "size", "modified", "table", "error");
    for (JsonNode file : preview.path("files")) {
      table.add(
          RestClient.text(file, "filename"),
          RestClient.text(file, "size"),
          RestClient.text(file, "modified_at"),
          RestClient.text(file, "table_name"),
          RestClient.text(file, "error"));
    }
    table.print(terminal.out());
    if (preview.path("more").asInt() > 0) {
      terminal.out().println("and " + preview.path("more").asInt() + " more");
    }
    preview.path("files").forEach(this::printRows);
  }

  private void printRows(JsonNode file) {
    if (!file.path("columns").isArray()) {
      return;
    }
    terminal.out().println();
    terminal.out().println(Terminal.plain(RestClient.text(file, "filename")));
    Table rows = new Table(texts(file.path("columns")));
    file.path("rows").valueStream().limit(ROWS).forEach(row -> rows.add(texts(row)));
    rows.print(terminal.out());
  }

  private static List<String> texts(JsonNode values) {
    List<String> texts = new ArrayList<>();
    values.forEach(value -> texts.add(value.isNull() ? "" : value.asText()));
    return texts;
  }
}
