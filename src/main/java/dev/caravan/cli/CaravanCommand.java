package dev.caravan.cli;

import dev.caravan.failure.CaravanException;
import java.util.Optional;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.IVersionProvider;

/** The command line as a whole; its subcommands do the work. */
@Command(
    name = "caravan",
    mixinStandardHelpOptions = true,
    versionProvider = CaravanCommand.Version.class,
    description = "Loads CSV exports into PostgreSQL. Without a command the server is started.",
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed: the job, the call or the file",
      "2:the command is not written as it has to be",
      "3:completed, but some records were refused"
    })
public final class CaravanCommand {

  private static final int WIDTH = 96;

  private CaravanCommand() {}

  /** That of the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = CaravanCommand.class.getPackage().getImplementationVersion();
      return new String[] {"Caravan " + Optional.ofNullable(version).orElse("(not packaged)")};
    }
  }

  /**
   * Runs a command.
   *
   * @return the exit code of the process
   */
  public static int run(String... args) {
    return run(Terminal.ofProcess(), args);
  }

  static int run(Terminal terminal, String... args) {
    return commandLine(terminal).execute(args);
  }

  static CommandLine commandLine(Terminal terminal) {
    CommandLine line =
        new CommandLine(new CaravanCommand())
            .addSubcommand(new InitCommand(terminal))
            .addSubcommand(new ValidateCommand(terminal))
            .addSubcommand(new TestCommand(terminal))
            .addSubcommand(new PreviewCommand(terminal))
            .addSubcommand(new PlanCommand(terminal))
            .addSubcommand(new RunCommand(terminal))
            .addSubcommand(new JobsCommand(terminal))
            .addSubcommand(new RejectsCommand(terminal))
            .addSubcommand(new BackfillCommand(terminal))
            .addSubcommand(new GenerateCompletion());
    line.getSubcommands()
        .values()
        .forEach(command -> command.getCommandSpec().versionProvider(new Version()));
    return line.setOut(terminal.out())
        .setErr(terminal.err())
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
        .setUsageHelpWidth(WIDTH)
        .setExpandAtFiles(false)
        .setExecutionExceptionHandler((e, command, parsed) -> fail(terminal, e));
  }

  private static int fail(Terminal terminal, Exception e) throws Exception {
    if (e instanceof CallFailed || e instanceof CaravanException) {
      terminal.err().println(Terminal.plain(e.getMessage()));
      return ExitCodes.FAILED;
    }
    throw e;
  }
}
