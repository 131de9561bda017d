package dev.caravan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds docs/cli.md to what the commands say of themselves. */
class CommandReferenceTest {

  private static final Path REFERENCE = Path.of("docs/cli.md");
  private static final Path GENERATED = Path.of("target/cli.md");
  private static final Pattern USAGE =
      Pattern.compile("<!-- usage of (\\S+) -->\n(.*?)<!-- end -->", Pattern.DOTALL);

  @Test
  void quotesTheUsageOfEveryCommand() throws IOException {
    String written = Files.readString(REFERENCE);
    String generated =
        USAGE
            .matcher(written)
            .replaceAll(section -> Matcher.quoteReplacement(section(section.group(1))));
    Files.writeString(GENERATED, generated);

    assertThat(written)
        .as("if a command changed on purpose: cp %s %s", GENERATED, REFERENCE)
        .isEqualTo(generated);
    for (String command : commands()) {
      assertThat(written).contains("<!-- usage of " + command + " -->");
    }
  }

  private static Set<String> commands() {
    PrintWriter none = new PrintWriter(Writer.nullWriter());
    Terminal terminal = new Terminal(none, none, null, false, Map.of());
    Set<String> names =
        new HashSet<>(CaravanCommand.commandLine(terminal).getSubcommands().keySet());
    names.remove("generate-completion"); // picocli describes it
    assertThat(names).hasSize(9);
    return names;
  }

  private static String section(String command) {
    Typed help =
        command.equals("caravan")
            ? Typed.command(Map.of(), "--help")
            : Typed.command(Map.of(), command, "--help");
    assertThat(help.exitCode()).isZero();
    return "<!-- usage of %s -->\n```text\n%s```\n<!-- end -->".formatted(command, help.out());
  }

  @Test
  void saysItsVersionAndCompletesItself() {
    assertThat(Typed.command(Map.of(), "--version").out()).startsWith("Caravan ");
    assertThat(Typed.command(Map.of(), "generate-completion").out())
        .contains("complete -F _complete_caravan", "backfill");
  }
}
