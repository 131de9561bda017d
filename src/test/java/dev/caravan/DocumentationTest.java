package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.failure.FailureCode;
import dev.caravan.record.RejectCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tables that operators look things up in are complete and name nothing that is gone. */
class DocumentationTest {

  private static final Pattern FIRST_CELL =
      Pattern.compile("^\\| `([^`]+)` \\|", Pattern.MULTILINE);
  private static final Pattern RETRIED =
      Pattern.compile("^\\| `([A-Z_]+)` \\|.*\\| yes \\|$", Pattern.MULTILINE);

  private static final Pattern TEST = Pattern.compile("`([A-Z][A-Za-z]*Test)`");

  @Test
  void explainsEveryFailureCode() throws IOException {
    assertThat(matches(FIRST_CELL, section("codes.md", "Why a job failed")))
        .containsExactlyElementsOf(names(FailureCode.values()));
  }

  @Test
  void saysWhichFailuresAreTriedAgain() throws IOException {
    FailureCode[] retryable =
        Arrays.stream(FailureCode.values())
            .filter(FailureCode::retryable)
            .toArray(FailureCode[]::new);
    assertThat(matches(RETRIED, section("codes.md", "Why a job failed")))
        .containsExactlyElementsOf(names(retryable));
  }

  @Test
  void explainsEveryRejectCode() throws IOException {
    assertThat(matches(FIRST_CELL, section("codes.md", "Why a record was refused")))
        .containsExactlyElementsOf(names(RejectCode.values()));
  }

  /** And says of those that do not run by themselves that they do not. */
  @Test
  void securityNamesTestsThatAreThere() throws IOException {
    Map<String, Path> tests;
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      tests =
          files
              .filter(file -> file.toString().endsWith("Test.java"))
              .collect(Collectors.toMap(DocumentationTest::className, file -> file));
    }
    String text = Files.readString(Path.of("docs", "security.md"));
    List<String> named = matches(TEST, text);
    assertThat(named).hasSizeGreaterThan(40);
    assertThat(tests.keySet()).containsAll(named);
    for (String test : named) {
      if (Files.readString(tests.get(test)).contains("\n@Tag(\"torture\")\n")) {
        assertThat(text.split("`" + test + "`", -1))
            .as("%s is marked wherever it stands", test)
            .allMatch(after -> after.startsWith(" (*torture*)") || after.startsWith("# "));
      }
    }
  }

  private static String className(Path file) {
    return file.getFileName().toString().replace(".java", "");
  }

  /** The text below a heading of the second level, up to the next one. */
  private static String section(String document, String heading) throws IOException {
    String text = "\n" + Files.readString(Path.of("docs", document));
    int start = text.indexOf("\n## " + heading + "\n");
    assertThat(start).as("heading %s of %s", heading, document).isNotNegative();
    int end = text.indexOf("\n## ", start + 1);
    return text.substring(start, end < 0 ? text.length() : end);
  }

  private static List<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult match) -> match.group(1)).toList();
  }

  private static List<String> names(Enum<?>[] constants) {
    return Arrays.stream(constants).map(Enum::name).toList();
  }
}
