package dev.caravan.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The credential of the calls. There is no option for it: other users of a machine see the options
 * of a process.
 *
 * @param secret never shown
 * @param source where it was found, for messages
 */
record ApiKey(String secret, String source) {

  private static final String VARIABLE = "CARAVAN_API_KEY";
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");

  ApiKey {
    // What is no header would be quoted by the exception of the HTTP client.
    if (!secret.matches("[\\x21-\\x7e]+")) {
      throw new CallFailed(
          CallFailed.Kind.REFUSED,
          "The API key of %s is empty or holds characters that no key has.".formatted(source));
    }
  }

  /**
   * Finds it: the file that is named, else the variable, else the key that Caravan's first start
   * wrote on this machine.
   *
   * @param file may be null
   */
  static ApiKey find(Path file, Map<String, String> environment, URI server) {
    if (file != null) {
      return read(file);
    }
    if (environment.containsKey(VARIABLE)) {
      return new ApiKey(environment.get(VARIABLE).strip(), VARIABLE);
    }
    Path local = Path.of(environment.getOrDefault("CARAVAN_DATA", "data"), "admin.key");
    // The key of this machine's Caravan is nothing that another server should get to see.
    if (LOOPBACK.contains(server.getHost()) && Files.exists(local)) {
      return read(local);
    }
    throw new CallFailed(
        CallFailed.Kind.REFUSED,
        "There is no API key: set %s, or name a file that holds one with --key-file%s."
            .formatted(
                VARIABLE,
                LOOPBACK.contains(server.getHost()) ? " (" + local + " is not there)" : ""));
  }

  private static ApiKey read(Path file) {
    try {
      return new ApiKey(Files.readString(file).strip(), file.toString());
    } catch (IOException e) {
      throw new CallFailed(CallFailed.Kind.REFUSED, "The file of the API key cannot be read: " + e);
    }
  }

  @Override
  public String toString() {
    return "key of " + source;
  }
}
