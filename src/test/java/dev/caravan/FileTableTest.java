package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FileTableTest {

  @Test
  void noTextFromOutsideMovesTheCursor() {
    assertThat(FileTable.plain("x\n2026 ERROR \u001b[2J\u001b[31m\r\u009b\u2028\u202e\t"))
        .isEqualTo("x\\u000a2026 ERROR \\u001b[2J\\u001b[31m\\u000d\\u009b\\u2028\\u202e\\u0009");
    assertThat(FileTable.plain("Größe 1,5 €")).isEqualTo("Größe 1,5 €");
  }
}
