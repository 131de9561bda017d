package dev.caravan.testing;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A proxy that compares calls and answers with an OpenAPI description. */
public final class Prism implements AutoCloseable {

  private final Process process;
  private final int port;

  private Prism(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * Starts it in front of a server; skips the test when it is not installed.
   *
   * @param description an OpenAPI file
   * @param more options; with {@code --errors} it refuses what the description does not allow,
   *     otherwise it says so in the header {@code sl-violations}
   */
  public static Prism start(Path description, String server, String... more) throws IOException {
    Path program =
        Path.of(System.getProperty("caravan.test.prism", "target/prism/node_modules/.bin/prism"));
    assumeTrue(Files.isExecutable(program), "no Prism at " + program + "; see CONTRIBUTING.md");
    int port = FreePort.find();
    List<String> command = new ArrayList<>();
    command.addAll(List.of(program.toString(), "proxy", description.toString(), server));
    command.addAll(List.of("--host", "127.0.0.1", "--port", String.valueOf(port)));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(new File("target/prism-" + port + ".log"))
            .start();
    Prism prism = new Prism(process, port);
    try {
      await().atMost(Duration.ofSeconds(60)).until(prism::listens);
    } catch (RuntimeException e) {
      prism.close();
      throw e;
    }
    return prism;
  }

  private boolean listens() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Where it listens. */
  public URI url() {
    return URI.create("http://127.0.0.1:" + port);
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    process.onExit().join();
  }
}
