package dev.caravan.cli;

import dev.caravan.failure.CaravanException;
import dev.caravan.project.ProjectConfigReader;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "init",
    mixinStandardHelpOptions = true,
    description =
        "Writes a project file to begin with. On a terminal it asks for what no option says. Nothing"
            + " is overwritten.")
final class InitCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Parameters(paramLabel = "NAME", description = "Name of the project.")
  private String project;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where to write it (default: NAME.yaml).")
  private Path output;

  @Option(
      names = "--sample",
      paramLabel = "CSV",
      description = "One of the files: its delimiter, encoding and columns are found out.")
  private Path sample;

  @Option(
      names = "--connection",
      paramLabel = "NAME",
      description = "Connection of the database (default: warehouse, that of the settings).")
  private String connection;

  @Option(
      names = "--host",
      description = "SFTP server (default: none, which means that of the settings).")
  private String host;

  @Option(names = "--user", description = "Who logs in there.")
  private String user;

  @Option(
      names = "--remote-path",
      paramLabel = "FOLDER",
      description = "Folder on the server (default: /export).")
  private String remotePath;

  @Option(
      names = "--primary-key",
      paramLabel = "COLUMN",
      description = "Column by which a row is found again (default: id, or the sample's first).")
  private String primaryKey;

  InitCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    Path file = output == null ? Path.of(project + ".yaml") : output;
    if (Files.exists(file)) {
      throw there(file);
    }
    write(file, template().yaml());
    terminal.out().println("Written to " + file + ". Then: validate " + file);
    return ExitCodes.OK;
  }

  private ProjectTemplate template() {
    SampleCsv csv = sample == null ? null : SampleCsv.of(sample);
    String server =
        host != null ? host : terminal.ask("SFTP server, - for that of the settings", "-");
    boolean own = !server.equals("-");
    return new ProjectTemplate(
        project,
        asked(connection, "Connection of the database", "warehouse"),
        own ? server : null,
        own ? asked(user, "User there", "export") : null,
        passwordVariable(),
        asked(remotePath, "Folder on the server", "/export"),
        asked(primaryKey, "Primary key", csv == null ? "id" : csv.likelyKey()),
        csv);
  }

  private String asked(String given, String question, String proposal) {
    return given != null ? given : terminal.ask(question, proposal);
  }

  private String passwordVariable() {
    return project.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_") + "_SFTP_PASSWORD";
  }

  /** What a project may not have is told, and no file is left. */
  private void write(Path file, String yaml) throws IOException {
    try {
      Files.writeString(file, yaml, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      throw there(file);
    } catch (IOException e) {
      throw new CallFailed(CallFailed.Kind.REFUSED, file + " cannot be written: " + e);
    }
    try {
      new ProjectConfigReader(Map.of(passwordVariable(), "to come")).read(file);
    } catch (CaravanException e) {
      Files.delete(file);
      throw e;
    }
  }

  private static CallFailed there(Path file) {
    return new CallFailed(
        CallFailed.Kind.REFUSED, file + " is there already; it is not overwritten.");
  }
}
