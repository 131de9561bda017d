package dev.caravan.cli;

import dev.caravan.failure.CaravanException;
import dev.caravan.project.InvalidProject;
import dev.caravan.project.ProjectConfigReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "validate",
    mixinStandardHelpOptions = true,
    description =
        "Checks project files as the server does, without one, and prints all that is wrong with"
            + " file, line, key, what was found and what is allowed. Secrets that a file refers to"
            + " are looked up here.")
final class ValidateCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Parameters(paramLabel = "FILE", arity = "1..*", description = "Project files.")
  private List<Path> files;

  ValidateCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    ProjectConfigReader reader = new ProjectConfigReader(terminal.environment());
    int bad = 0;
    for (Path file : files) {
      bad += isValid(reader, file) ? 0 : 1;
    }
    return bad == 0 ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private boolean isValid(ProjectConfigReader reader, Path file) {
    try {
      String project = reader.read(file).project();
      terminal.out().println("%s: project %s is valid".formatted(file, project));
      return true;
    } catch (InvalidProject e) {
      KeyLines lines = KeyLines.of(file);
      e.findings().stream().map(f -> line(file, lines, f)).forEach(terminal.err()::println);
    } catch (CaravanException e) {
      terminal.err().println(Terminal.plain(e.getMessage()));
    }
    return false;
  }

  private static String line(Path file, KeyLines lines, InvalidProject.Finding finding) {
    String where = finding.key().isEmpty() ? "" : finding.key() + ": ";
    return Terminal.plain(
        "%s:%d: %s%s".formatted(file, lines.of(finding.pointer()), where, finding.problem()));
  }
}
