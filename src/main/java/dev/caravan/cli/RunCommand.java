package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = "Imports the files of a project that are ready, as one job.")
final class RunCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  @Option(
      names = "--wait",
      description = "Wait for the end of the job; the exit code says how it ended.")
  private boolean wait;

  @Option(names = "--force", description = "Load content again that was loaded before.")
  private boolean force;

  @Option(
      names = "--idempotency-key",
      paramLabel = "KEY",
      description = "A second run with the same key is the same job.")
  private String idempotencyKey = UUID.randomUUID().toString();

  RunCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    RestClient client = server.connect(terminal);
    ObjectNode wanted = RestClient.JSON.createObjectNode().put("project", project);
    if (force) {
      wanted.put("force", true);
    }
    JsonNode launched = client.launch(wanted, idempotencyKey);
    return new Launched(server, terminal, client).follow(launched, wait);
  }
}
