package dev.caravan.record.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.record.MapRecords;
import dev.caravan.record.mapping.ColumnRule.Constant;
import dev.caravan.record.mapping.ColumnRule.FromField;
import dev.caravan.record.mapping.ColumnRule.FromParameter;
import dev.caravan.record.mapping.ColumnRule.Joined;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FieldMappingTest {

  private final List<String> warnings = new ArrayList<>();

  /** What the values of field f become. */
  private List<Object> convert(Conversion conversion, Object... values) {
    FieldMapping mapping = new FieldMapping(List.of(new FromField("c", "f", conversion)));
    List<Map<String, ?>> records = new ArrayList<>();
    Arrays.stream(values).forEach(v -> records.add(record("f", v)));
    MapRecords mapped = mapping.apply(records.iterator(), Map.of());
    List<Object> converted = new ArrayList<>();
    mapped.forEachRemaining(row -> converted.add(row.get("c")));
    warnings.clear();
    warnings.addAll(mapped.warnings());
    return converted;
  }

  private static Map<String, Object> record(String field, Object value) {
    Map<String, Object> record = new HashMap<>();
    record.put(field, value);
    return record;
  }

  @Test
  void makesNullOfWhatIsNoDateAndCountsIt() {
    assertThat(
            convert(
                new Conversion.Date("yyyyMMdd"),
                "20240229",
                new BigDecimal("20250131"),
                null,
                "20230229",
                "2025-01-31",
                "",
                "20251301"))
        .containsExactly("2024-02-29", "2025-01-31", null, null, null, null, null);
    assertThat(warnings)
        .containsExactly(
            "NO_DATE: 4 values of 'f', the first of them '20230229', became NULL, because it is not yyyyMMdd");
    assertThat(convert(new Conversion.Date("d.M.yyyy"), "1.2.2025", "31.12.2025"))
        .containsExactly("2025-02-01", "2025-12-31");
  }

  @Test
  void translatesWordsAndCountsOthers() {
    Conversion words = new Conversion.Words(Map.of("A", "a"), Optional.of("z"));
    assertThat(convert(words, "A", "B", null, "a")).containsExactly("a", "z", "z", "z");
    assertThat(warnings)
        .containsExactly("UNKNOWN_WORD: 2 values of 'f', the first of them 'B', became z");
    assertThat(convert(new Conversion.Words(Map.of("A", "a"), Optional.empty()), "A", "B", null))
        .containsExactly("a", null, null);
  }

  @Test
  void readsBooleansAndNumbers() {
    assertThat(convert(new Conversion.TrueWords(List.of("YES")), "YES", "NO", "yes", null))
        .containsExactly(true, false, false, null);
    assertThat(
            convert(
                new Conversion.DecimalNumber(',', Optional.of('.')),
                "1.234,5",
                "7",
                8,
                null,
                "viel"))
        .containsExactly("1234.5", "7", 8, null, "viel");
    assertThat(convert(new Conversion.DecimalNumber(',', Optional.empty()), "1.5", "1,5"))
        .as("a point is no decimal comma; the column refuses it or not")
        .containsExactly("1.5", "1.5");
  }

  @Test
  void joinsFieldsWithoutMixingThemUp() {
    FieldMapping mapping = new FieldMapping(List.of(new Joined("key", List.of("a", "b"))));
    List<Map<String, ?>> records =
        List.of(
            Map.of("a", "x|y", "b", "z"),
            Map.of("a", "x", "b", "y|z"),
            Map.of("a", "x"),
            Map.of("a", "\\", "b", new BigDecimal("1E+2")));
    List<Object> keys = new ArrayList<>();
    mapping.apply(records.iterator(), Map.of()).forEachRemaining(row -> keys.add(row.get("key")));
    assertThat(keys).containsExactly("x\\|y|z", "x|y\\|z", "x|", "\\\\|100");
  }

  @Test
  void takesParametersAndConstants() {
    FieldMapping mapping =
        new FieldMapping(List.of(new FromParameter("p", "year"), new Constant("c", "tableau")));
    Iterator<Map<String, ?>> one = List.<Map<String, ?>>of(Map.of("x", 1)).iterator();
    assertThat(mapping.apply(one, Map.of("year", 2025)).next())
        .isEqualTo(Map.of("p", 2025, "c", "tableau"));
    assertThatThrownBy(() -> mapping.apply(one, Map.of("month", 1)))
        .hasMessageContainingAll("'p'", "'year'", "month");
  }

  @Test
  void pullsOneRecordForOneRecord() {
    AtomicInteger pulled = new AtomicInteger();
    Iterator<Map<String, ?>> endless =
        java.util.stream.Stream.<Map<String, ?>>generate(
                () -> Map.of("f", pulled.incrementAndGet()))
            .iterator();
    MapRecords mapped =
        new FieldMapping(List.of(new FromField("c", "f", new Conversion.AsIs())))
            .apply(endless, Map.of());
    assertThat(mapped.columns()).containsExactly("c");
    assertThat(mapped.next().get("c")).isEqualTo(1);
    assertThat(pulled.get()).isEqualTo(1);
  }

  @Test
  void missesAFieldThatNoRecordHas() throws Exception {
    FieldMapping mapping =
        new FieldMapping(
            List.of(
                new FromField("c", "f", new Conversion.AsIs()),
                new FromField("d", "g", new Conversion.AsIs())));
    List<Map<String, ?>> records = List.of(Map.of("f", 1, "h", 2));
    MapRecords mapped = mapping.apply(records.iterator(), Map.of());
    mapped.next();
    assertThatThrownBy(mapped::hasNext).hasMessageContainingAll("1 records", "'g'", "'h'");
    mapped.close();
    assertThatThrownBy(mapped::hasNext).hasMessageContaining("begin anew");
  }
}
