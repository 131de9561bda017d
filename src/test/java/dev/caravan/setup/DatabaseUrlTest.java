package dev.caravan.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseUrlTest {

  @Test
  void takesTheUrlApartAndShowsItWithoutItsPassword() {
    DatabaseUrl url =
        DatabaseUrl.parse("postgresql://us%3Aer:p%40ss@db.example.com/w?sslmode=require");
    assertThat(url.jdbc()).isEqualTo("jdbc:postgresql://db.example.com:5432/w?sslmode=require");
    assertThat(url.username()).hasValue("us:er");
    assertThat(url.password()).hasValue("p@ss");
    assertThat(url.masked(true))
        .isEqualTo("postgresql://us%3Aer:***@db.example.com:5432/w?sslmode=require")
        .isEqualTo(url.toString());
    assertThat(DatabaseUrl.parse(url.stored()).hasLoginOf(url)).isTrue();
  }

  @Test
  void aMaskIsNoPassword() {
    assertThat(DatabaseUrl.parse("postgresql://u:***@h/d").password()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mysql://u:secret@h/d",
        "secret",
        "postgresql://u:secret@h1,h2/d",
        "postgresql://u:secret@h",
        "postgresql:///d?password=secret",
        "postgresql://u:secret@h/d?socketFactory=secret",
        "postgresql://h/d?password=secret",
        "postgresql://h/d?sslfactory=a.B&sslfactoryarg=secret",
        "postgresql://h/d?%73ocketFactory=secret",
        "postgresql://h/d?sslmode=disable&loggerFile=/secret",
        "postgresql://u:secret@h/d d",
      })
  void refusesWhatLeadsElsewhereWithoutRepeatingIt(String url) {
    assertThatThrownBy(() -> DatabaseUrl.parse(url))
        .isInstanceOfSatisfying(
            RefusedSetup.class,
            e -> assertThat(e.findings().toString()).contains("allowed").doesNotContain("secret"));
  }
}
