package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.record.Fields;
import dev.caravan.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlainValuesTest {

  private static final int MUTANTS = 4_000;
  private static final String ALPHABET = "0123456789-+.:TZ eE,_xtrufals";

  private final TestDatabase database = TestDatabase.create();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "smallint | 42 | -9999",
        "integer | 999999999 | -1",
        "bigint | 123456789012345678 | 0",
        "numeric | 12345678901234567890.0123456789 | -1.",
        "numeric(4,2) | 12.34 | 9.999",
        "numeric(5,3) | 12.345 | 99.9995",
        "real | 1.5 | -123456",
        "double precision | 123456789.012345 | 7",
        "date | 2024-02-29 | 1900-02-28",
        "timestamp without time zone | 2026-12-31 23:59:59.999999 | 2026-01-01T00:00",
        "timestamp with time zone | 2026-12-31T23:59:59Z | 2026-01-01 00:00:00.5Z",
        "timestamp with time zone | 2026-12-31 23:59:59+02 | 2026-01-01 00:00-0330",
        "timestamp with time zone | 2026-12-31 23:59:59.25-11:30 | 2026-01-01T00:00:00+14:00",
        "boolean | true | f",
        "uuid | 01234567-89ab-cdef-ABCD-0123456789ab | 00000000-0000-0000-0000-000000000000",
      })
  void callsNothingPlainThatPostgresRefuses(String type, String first, String second)
      throws Exception {
    long seed = System.nanoTime();
    List<String> plain = new ArrayList<>();
    for (String value : mutants(List.of(first, second), new Random(seed))) {
      if (isPlain(type, value)) {
        plain.add(value);
      }
    }
    assertThat(isPlain(type, first)).as("%s is plain", first).isTrue();
    assertThat(refused(type, plain)).as("plain, and refused; seed %d", seed).isEmpty();
  }

  private static List<String> mutants(List<String> seeds, Random random) {
    List<String> values = new ArrayList<>(seeds);
    while (values.size() < MUTANTS) {
      StringBuilder value =
          new StringBuilder(values.get(random.nextInt(Math.min(50, values.size()))));
      int at = value.isEmpty() ? 0 : random.nextInt(value.length());
      char other = ALPHABET.charAt(random.nextInt(ALPHABET.length()));
      switch (random.nextInt(3)) {
        case 0 -> value.insert(at, other);
        case 1 -> {
          if (!value.isEmpty()) {
            value.deleteCharAt(at);
          }
        }
        default -> {
          if (!value.isEmpty()) {
            value.setCharAt(at, other);
          }
        }
      }
      values.add(value.toString());
    }
    return values;
  }

  private static boolean isPlain(String type, String value) {
    ColumnPlan plan =
        new ColumnPlan(
            List.of(ColumnType.of(type).column("c")),
            List.of(0),
            List.of(),
            List.of(),
            List.of(),
            ValueFormats.ISO,
            new BitSet());
    PlainValues values = new PlainValues(plan);
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    Fields fields = new Fields();
    fields.add(0, bytes.length, 0);
    fields.at(bytes, 0);
    values.add(fields);
    return !values.isDoubtful(0);
  }

  private List<String> refused(String type, List<String> values) throws Exception {
    String sql =
        "SELECT v FROM unnest(?::text[]) AS x(v) WHERE "
            + ValueCheck.isBad(ColumnType.of(type).column("c"), ValueFormats.ISO, "v");
    List<String> refused = new ArrayList<>();
    try (Connection connection = database.dataSource().getConnection();
        PreparedStatement query = connection.prepareStatement(sql)) {
      query.setArray(1, connection.createArrayOf("text", values.toArray()));
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          refused.add(row.getString(1));
        }
      }
    }
    return refused;
  }
}
