package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.testing.TestLoads;
import java.io.InputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ColumnTypeTest {

  private static final TestLoads LOADS = new TestLoads();

  @ParameterizedTest
  @CsvSource({
    "'NUMERIC ( 12 , 2 )', 'numeric(12,2)'",
    "numeric(5), 'numeric(5,0)'",
    "decimal, numeric",
    "int, integer",
    "float8, double precision",
    "double  precision, double precision",
    "varchar(20), character varying(20)",
    "character varying, character varying",
    "char, character(1)",
    "timestamp(3), timestamp(3) without time zone",
    "timestamptz, timestamp with time zone",
    "time(0) with time zone, time(0) with time zone",
    "'numeric(12,2)[]', 'numeric(12,2)[]'",
    "text not null, text",
  })
  void writesATypeAsPostgresDoes(String written, String expected) throws Exception {
    ColumnType type = ColumnType.of(written);
    assertThat(type.sql()).isEqualTo(expected);
    LOADS.sql("DROP TABLE IF EXISTS typed; CREATE TABLE typed (c %s)".formatted(type.sql()));
    assertThat(
            LOADS.rows(
                """
                SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = 'typed'::regclass AND attnum > 0"""))
        .containsExactly(type.sql());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "regclass",
        "numeric(0)",
        "numeric(2,3)",
        "numeric(1001)",
        "varchar(0)",
        "varchar(99999999)",
        "text(3)",
        "int(4)",
        "date(1)",
        "timestamp(7)",
        "time(1,2)",
        "text; DROP TABLE t",
        "text, x int",
        "text)",
        "int[][]",
        "text default 'x'",
        "text collate \"C\"",
        "serial",
        "int with time zone",
        "timestamptz with time zone",
        "public.mytype",
        "text -- x",
        "text not null primary key"
      })
  void takesNoOtherTextForAType(String written) {
    assertThat(ColumnType.parse(written)).isEmpty();
    assertThatThrownBy(() -> ColumnType.of(written)).hasMessageContaining("numeric(p,s)");
  }

  /** What a project may say is a type here, so that a mistake is told when it is saved. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "text",
        "varchar(20) not null",
        "char",
        "character (3)",
        "numeric(12, 2)[]",
        "decimal (5)",
        "timestamp (3) with time zone",
        "time without time zone not null",
        "timestamptz[]",
        "float8"
      })
  void aTypeOfAProjectIsOneHere(String written) throws Exception {
    try (InputStream schema =
        ColumnType.class.getResourceAsStream("/dev/caravan/project/project.schema.json")) {
      String pattern =
          new ObjectMapper()
              .readTree(schema)
              .at("/$defs/columns/additionalProperties/pattern")
              .textValue();
      assertThat(written).matches(pattern);
    }
    assertThat(ColumnType.parse(written)).isPresent();
  }
}
