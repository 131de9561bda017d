package dev.caravan.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * No library with a published hole is on the classpath, unless docs/advisories.tsv says what closes
 * the hole here. Needs no network: the list is refreshed by hand.
 */
class AdvisoriesTest {

  private record Advisory(String id, String artifact, Version since, Version fixed, String closed) {

    static Advisory of(String line) {
      String[] fields = line.split("\t", -1);
      assertThat(fields).as(line).hasSize(6);
      return new Advisory(
          fields[0], fields[1], Version.parse(fields[2]), Version.parse(fields[3]), fields[5]);
    }

    boolean isOpenFor(String version) {
      Version used = Version.parse(version);
      return closed.isEmpty() && used.compareTo(since) >= 0 && used.compareTo(fixed) < 0;
    }
  }

  private static List<Advisory> advisories() throws IOException {
    return Files.readAllLines(Path.of("docs/advisories.tsv")).stream()
        .filter(line -> !line.startsWith("#"))
        .map(Advisory::of)
        .toList();
  }

  /** Artifact (without its group) to version, by where Maven keeps the jars. */
  private static Map<String, String> classpath() {
    Map<String, String> versions = new HashMap<>();
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : path.split(File.pathSeparator, -1)) {
      if (entry.endsWith(".jar")) {
        Path version = Path.of(entry).getParent();
        versions.put(
            version.getParent().getFileName().toString(), version.getFileName().toString());
      }
    }
    return versions;
  }

  private static List<String> open(Map<String, String> versions) throws IOException {
    return advisories().stream()
        .filter(advisory -> versions.containsKey(advisory.artifact()))
        .filter(advisory -> advisory.isOpenFor(versions.get(advisory.artifact())))
        .map(a -> a.id() + ": " + a.artifact() + " " + versions.get(a.artifact()))
        .toList();
  }

  @Test
  void noLibraryHasAHoleThatNothingCloses() throws IOException {
    Map<String, String> versions = classpath();
    assertThat(versions).containsKeys("netty-codec-http", "camel-http", "postgresql");
    assertThat(open(versions)).isEmpty();
  }

  @Test
  void whatClosesAHoleIsTriedByTestsThatAreThere() throws IOException {
    Pattern named = Pattern.compile("\\b([A-Z]\\w*Test)\\b");
    List<String> tests;
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      tests = files.map(file -> file.getFileName().toString().replace(".java", "")).toList();
    }
    assertThat(
            advisories().stream()
                .flatMap(advisory -> named.matcher(advisory.closed()).results())
                .map(test -> test.group(1)))
        .isNotEmpty()
        .isSubsetOf(tests);
  }

  @Test
  void aVersionThatIsPutBackIsRed() throws IOException {
    assertThat(open(Map.of("netty-codec-http", "4.1.130.Final", "httpcore5", "5.3.6")))
        .anyMatch(finding -> finding.endsWith("netty-codec-http 4.1.130.Final"))
        .anyMatch(finding -> finding.endsWith("httpcore5 5.3.6"));
    assertThat(open(Map.of("camel-platform-http-main", "4.18.0"))).isNotEmpty();
  }
}
