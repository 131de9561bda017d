package dev.caravan.embedded;

import dev.caravan.failure.CaravanException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A JVM of its own with an embedded database, to be killed or refused. */
final class ChildCaravan implements AutoCloseable {

  static final String RUNNING = "RUNNING";

  private final Process process;
  private final String answer;

  private ChildCaravan(Process process, String answer) {
    this.process = process;
    this.answer = answer;
  }

  /** Starts one and waits until it runs or was refused. */
  static ChildCaravan start(Path dataDirectory, Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of("-Xmx128m", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(ChildCaravan.class.getName(), dataDirectory.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    Process process = builder.start();
    BufferedReader out = process.inputReader();
    String line = out.readLine();
    while (line != null && !line.startsWith(RUNNING) && !line.startsWith("REFUSED")) {
      line = out.readLine();
    }
    return new ChildCaravan(process, line);
  }

  /** {@link #RUNNING}, or REFUSED with the code and the message. */
  String answer() {
    return answer;
  }

  long pid() {
    return process.pid();
  }

  /** Ends it as kill -9 does. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /** Commits one row, leaves another uncommitted, and waits to be killed. */
  public static void main(String[] arguments) throws Exception {
    try (var database = EmbeddedDatabase.start(Path.of(arguments[0]), 0);
        Connection connection =
            DriverManager.getConnection(
                database.jdbcUrl(), database.username(), database.password());
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS kept");
      statement.execute("CREATE TABLE kept (what text)");
      statement.execute("INSERT INTO kept VALUES ('committed')");
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO kept VALUES ('uncommitted')");
      System.out.println(RUNNING);
      System.out.println(System.in.read());
    } catch (CaravanException e) {
      System.out.println("REFUSED " + e.code() + " " + e.getMessage().replace('\n', ' '));
    }
  }
}
