package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description =
        "Prints the SQL by which the next import of a project would make or change its tables. Runs"
            + " none of it.")
final class PlanCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  PlanCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    JsonNode plan =
        server.connect(terminal).post("/projects/" + RestClient.encoded(project) + "/plan");
    if (server.json()) {
      ServerOptions.print(terminal, plan);
    } else if (plan.path("ddl").isEmpty()) {
      terminal.out().println("-- all tables are as the files need them");
    } else {
      plan.path("ddl").forEach(sql -> terminal.out().println(statement(sql.asText())));
    }
    return ExitCodes.OK;
  }

  private static String statement(String sql) {
    return Terminal.plain(sql) + (sql.startsWith("--") || sql.endsWith(";") ? "" : ";");
  }
}
