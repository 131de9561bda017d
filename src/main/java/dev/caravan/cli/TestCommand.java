package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "test",
    mixinStandardHelpOptions = true,
    description =
        "Tests what a project needs: logs in to its database (needs a key of the role admin) and"
            + " lists its folder on the SFTP server. Loads nothing.")
final class TestCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  TestCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    RestClient client = server.connect(terminal);
    String path = "/projects/" + RestClient.encoded(project);
    String connection = client.get(path).path("connection_id").asText();
    ObjectNode results = RestClient.JSON.createObjectNode();
    results.set("database", tried(() -> client.post("/connections/" + connection + "/test")));
    results.set("sftp", tried(() -> listed(client.post(path + "/preview"))));
    if (server.json()) {
      ServerOptions.print(terminal, results);
    } else {
      results.properties().forEach(result -> print(result.getKey(), result.getValue()));
    }
    boolean ok = results.valueStream().allMatch(result -> result.path("ok").asBoolean());
    return ok ? ExitCodes.OK : ExitCodes.FAILED;
  }

  /** One test that fails does not keep the other from being made. */
  private static JsonNode tried(Supplier<JsonNode> test) {
    try {
      return test.get();
    } catch (CallFailed e) {
      if (e.kind() == CallFailed.Kind.UNREACHABLE) {
        throw e;
      }
      return RestClient.JSON.createObjectNode().put("ok", false).put("message", e.getMessage());
    }
  }

  private static JsonNode listed(JsonNode preview) {
    int files = preview.path("files").size() + preview.path("more").asInt();
    return RestClient.JSON
        .createObjectNode()
        .put("ok", true)
        .put("message", "%d files match".formatted(files));
  }

  private void print(String what, JsonNode result) {
    String state = result.path("ok").asBoolean() ? "ok" : "failed";
    terminal
        .out()
        .println(
            Terminal.plain(
                "%-9s %-7s %s".formatted(what, state, RestClient.text(result, "message")).strip()));
  }
}
