package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all commands have in common that call a server. */
final class ServerOptions {

  private static final Set<String> SCHEMES = Set.of("http", "https");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  private URI url;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "Holds the API key. Without it the key is that of the variable CARAVAN_API_KEY, or for a"
              + " server on this machine that of data/admin.key.")
  private Path keyFile;

  @Option(names = "--json", description = "Print the server's answer as JSON, and no progress.")
  private boolean json;

  @Option(
      names = "--url",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8420",
      description = "Where Caravan answers (default: ${DEFAULT-VALUE}).")
  void url(URI value) {
    if (!SCHEMES.contains(String.valueOf(value.getScheme()))
        || value.getHost() == null
        || value.getUserInfo() != null
        || value.getQuery() != null) {
      throw new ParameterException(
          command.commandLine(),
          "--url: allowed is http:// or https:// with a host, without user or query, such as"
              + " http://127.0.0.1:8420");
    }
    url = URI.create(value.toString().replaceAll("/+$", ""));
  }

  boolean json() {
    return json;
  }

  RestClient connect(Terminal terminal) {
    return new RestClient(url, ApiKey.find(keyFile, terminal.environment(), url));
  }

  /** Prints an answer as it came. */
  static void print(Terminal terminal, JsonNode answer) {
    terminal.out().println(answer.toPrettyString());
  }
}
