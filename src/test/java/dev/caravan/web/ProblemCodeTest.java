package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ProblemCodeTest {

  @Test
  void everyCodeIsExplained() throws IOException {
    String codes = Files.readString(Path.of("docs/codes.md"));
    String section = codes.substring(codes.indexOf("\n## Why a call was refused\n"));
    List<String> rows =
        Pattern.compile("^\\| `([A-Z_]+)` \\| ([0-9]+) \\|", Pattern.MULTILINE)
            .matcher(section)
            .results()
            .map(row -> row.group(1) + " " + row.group(2))
            .toList();
    assertThat(rows)
        .containsExactlyElementsOf(
            Arrays.stream(ProblemCode.values()).map(code -> code + " " + code.status()).toList());
  }
}
