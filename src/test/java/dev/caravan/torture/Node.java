package dev.caravan.torture;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** One Caravan in a JVM of its own, with its own network to PostgreSQL. */
final class Node implements AutoCloseable {

  private final String name;
  private final Path folder;
  private final Map<String, String> settings;
  private final TcpProxy network;
  private final BiConsumer<Node, String> onFault;
  private volatile Process process;
  private volatile boolean ready;
  private volatile String fault;
  private volatile boolean fired;
  private volatile boolean paused;
  private volatile long started;
  private volatile int failedStarts;

  /**
   * @param settings by the names of {@code application.properties}
   * @param onFault is told, with the plan, when a fault point has let the process die or stop
   */
  Node(
      String name,
      Path folder,
      Map<String, String> settings,
      TcpProxy network,
      BiConsumer<Node, String> onFault) {
    this.name = name;
    this.folder = folder;
    this.settings = Map.copyOf(settings);
    this.network = network;
    this.onFault = onFault;
  }

  /**
   * Starts the process.
   *
   * @param withFault as {@code caravan.fault} has it; null for none
   * @param options of the JVM
   */
  void start(String withFault, List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx160m", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.add("-Dlog4j2.configurationFile=classpath:log4j2.properties"); // not that of tests
    command.addAll(options);
    if (withFault != null) {
      command.add("-Dcaravan.fault=" + withFault);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.caravan.Caravan"));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    settings.forEach((key, value) -> builder.environment().put(variable(key), value));
    failedStarts = ready ? 0 : failedStarts + 1;
    fault = withFault;
    fired = false;
    ready = false;
    paused = false;
    started = System.nanoTime();
    process = builder.start();
    Process mine = process;
    Thread reader = new Thread(() -> read(mine), "output-" + name);
    reader.setDaemon(true);
    reader.start();
  }

  private static String variable(String key) {
    return key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
  }

  private void read(Process of) {
    try (BufferedReader out = of.inputReader();
        Writer log =
            Files.newBufferedWriter(
                folder.resolve(name + ".log"),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        log.write(line + "\n");
        log.flush();
        if (line.startsWith("Caravan runs.")) {
          ready = true;
        } else if (line.startsWith("FAULT ") && of == process) {
          paused = fault.contains(":stop");
          fired = true;
          onFault.accept(this, fault);
        }
      }
    } catch (IOException e) {
      // the process was killed
    }
  }

  String name() {
    return name;
  }

  TcpProxy network() {
    return network;
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** True when its routes run. */
  boolean isReady() {
    return isAlive() && ready;
  }

  /** True while it is stopped by SIGSTOP. */
  boolean isPaused() {
    return paused;
  }

  /** The fault that it was started with and that has not come yet; null for none. */
  String armed() {
    return fired ? null : fault;
  }

  /** True when it was started with a fault that has come. */
  boolean hasFired() {
    return fired;
  }

  /** How many starts in a row, this one included, did not come to running routes. */
  int failedStarts() {
    return ready ? 0 : failedStarts;
  }

  /** Seconds since its last start. */
  long age() {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started);
  }

  /** Ends it as {@code kill -9} does. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Asks it to end in order. */
  void terminate() {
    process.destroy();
  }

  void pause() throws IOException, InterruptedException {
    signal("STOP");
    paused = true;
  }

  /** Goes on after a pause. */
  void resume() throws IOException, InterruptedException {
    signal("CONT");
    paused = false;
  }

  private void signal(String signal) throws IOException, InterruptedException {
    if (isAlive()) {
      new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start().waitFor();
    }
  }

  @Override
  public void close() throws IOException {
    if (process != null) {
      kill();
    }
    network.close();
  }
}
