package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileGlobTest {

  @ParameterizedTest
  @CsvSource({
    "*.csv, a.csv",
    "*.csv, .csv",
    "*.csv, a.csv.gz",
    "*.csv, a.csv.GZ",
    "*.gz, a.csv.gz",
    "*, anything",
    "**, anything",
    "a*b*c.csv, axxbxbxc.csv",
    "a*a, aa",
    "a?c.csv, abc.csv",
    "a?c.csv, aäc.csv",
    "?c.csv, a\u0308c.csv", // as a Mac sends it
    "M\u00fcller_*.csv, Mu\u0308ller_1.csv.gz",
    "Mu\u0308ller_*.csv, M\u00fcller_1.csv",
    "[\u00e4\u00f6].csv, o\u0308.csv",
    "a?c.csv, a😀c.csv",
    "😀*.csv, 😀1.csv",
    "a[bc].csv, ac.csv",
    "a[0-9x].csv, a7.csv",
    "a[!0-9].csv, ab.csv",
    "a[-x].csv, a-.csv",
    "a[^x].csv, a^.csv",
    "a[x&&y].csv, a&.csv",
    "a[\\d].csv, ad.csv",
    "a].csv, a].csv",
    "(a|b)+$.csv, (a|b)+$.csv",
    "a\\Eb.csv, a\\Eb.csv",
    "'a\nb*', 'a\nb\nc.csv'",
  })
  void matches(String pattern, String name) {
    assertThat(new FileGlob(pattern).matches(name)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "*.csv, a.CSV",
    "*.csv, a.csv.done",
    "*.csv, a.csv.gz.gz",
    "*.csv, acsv",
    "a.csv, xa.csv",
    "a?c.csv, ac.csv",
    "a?c.csv, abbc.csv",
    "a*a, a",
    "a[bc].csv, aa.csv",
    "a[!0-9].csv, a7.csv",
    "a[^x].csv, ab.csv",
    "a[\\d].csv, a7.csv",
    "(a|b)+$.csv, a.csv",
    "*.csv, 'a.csv\n'",
  })
  void doesNotMatch(String pattern, String name) {
    assertThat(new FileGlob(pattern).matches(name)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a[", "a[b", "[]", "[!]", "[z-a]"})
  void refusesABrokenPattern(String pattern) {
    assertThatThrownBy(() -> new FileGlob(pattern)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  @Timeout(value = 5, threadMode = ThreadMode.SEPARATE_THREAD)
  void isNotSlowedDownByAHostileName() {
    FileGlob pattern = new FileGlob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab");

    assertThat(pattern.matches("a".repeat(100_000))).isFalse();
  }

  @Test
  void isEqualToTheSamePattern() {
    assertThat(new FileGlob("*.csv"))
        .isEqualTo(new FileGlob("*.csv"))
        .hasSameHashCodeAs(new FileGlob("*.csv"))
        .isNotEqualTo(new FileGlob("*.txt"));
  }
}
