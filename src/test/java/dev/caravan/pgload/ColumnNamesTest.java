package dev.caravan.pgload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.testing.TestLoads;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules for names hold for the names of the table, after the mapping, and say the way out. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ColumnNamesTest {

  private final TestLoads loads = new TestLoads();
  private int tables;

  private LoadSpec spec(OnDrift onDrift, Map<String, String> mapping) {
    LoadSpec plain = LoadSpec.upsert(new TableName("s", "t" + tables), List.of("id"));
    return new LoadSpec(
        plain.target(),
        plain.keyColumns(),
        mapping,
        plain.mode(),
        plain.range(),
        plain.onMissing(),
        plain.onError(),
        plain.maxErrors(),
        plain.maxErrorRatio(),
        onDrift,
        plain.allowEmpty(),
        plain.formats(),
        plain.inferTypes());
  }

  static Stream<Arguments> bad() {
    return Stream.of(
        Arguments.of("Umsatz\n(EUR)", FailureCode.BAD_NAME, "'Umsatz<U+000A>(EUR)'"),
        Arguments.of("x".repeat(64), FailureCode.NAME_TOO_LONG, "64 bytes"),
        Arguments.of("ü".repeat(32), FailureCode.NAME_TOO_LONG, "64 bytes"),
        Arguments.of("xmin", FailureCode.BAD_NAME, "system column"),
        Arguments.of("xmax", FailureCode.BAD_NAME, "system column"),
        Arguments.of("cmin", FailureCode.BAD_NAME, "system column"),
        Arguments.of("cmax", FailureCode.BAD_NAME, "system column"),
        Arguments.of("ctid", FailureCode.BAD_NAME, "system column"),
        Arguments.of("tableoid", FailureCode.BAD_NAME, "system column"),
        Arguments.of("ID", FailureCode.DUPLICATE_HEADER, "columns 1 and 2"));
  }

  /** In a new table, and as a new column of one that is there. */
  @ParameterizedTest
  @MethodSource("bad")
  void aBadNameIsRefusedAndIsFineWhenItIsMapped(String name, FailureCode code, String part)
      throws Exception {
    String csv = "id,\"" + name + "\"\n1,x\n";
    tables++;
    for (boolean exists : new boolean[] {false, true}) {
      if (exists) {
        loads.load(spec(OnDrift.EVOLVE, Map.of()), "id\n1\n");
      }
      assertThatThrownBy(() -> loads.load(spec(OnDrift.EVOLVE, Map.of()), csv))
          .isInstanceOfSatisfying(CaravanException.class, e -> assertThat(e.code()).isEqualTo(code))
          .hasMessageContaining(part)
          .hasMessageContaining("column_mapping");
    }
    loads.load(spec(OnDrift.EVOLVE, Map.of(name, "good")), csv);
    assertThat(loads.rows("SELECT id, good FROM s.t" + tables)).containsExactly("1|x");
  }

  /** What is not loaded needs no name that a table can have. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "xmin",
        "a\nb",
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      })
  void aColumnThatIsLeftOutMayHaveAnyName(String name) throws Exception {
    tables++;
    loads.load(spec(OnDrift.DISCARD_VALUE, Map.of()), "id\n0\n");
    LoadResult result =
        loads.load(spec(OnDrift.DISCARD_VALUE, Map.of()), "id,\"" + name + "\"\n1,x\n");
    assertThat(result.inserted()).isEqualTo(1);
  }

  @Test
  void headersThatDifferByCaseMayBeMappedApart() throws Exception {
    tables++;
    Map<String, String> mapping = new HashMap<>(Map.of("Name", "a", "NAME", "b"));
    loads.load(spec(OnDrift.FREEZE, mapping), "id,Name,NAME\n1,x,y\n");
    assertThat(loads.rows("SELECT id, a, b FROM s.t" + tables)).containsExactly("1|x|y");
  }

  @ParameterizedTest
  @ValueSource(strings = {"na\u200Bme", "name\u00A0", "\uFEFFname", "na\u202Eme", "na\u00ADme"})
  void hiddenCharactersAreToldVisibly(String name) throws Exception {
    tables++;
    String shown = name.replaceAll("[a-z]", "");
    String code = "<U+%04X>".formatted((int) shown.charAt(0));
    assertThat(loads.load(spec(OnDrift.FREEZE, Map.of()), "id," + name + "\n1,x\n").warnings())
        .singleElement()
        .asString()
        .startsWith("HIDDEN_CHARACTER")
        .contains(name.replace(shown, code));
    assertThatThrownBy(
            () -> loads.load(spec(OnDrift.FREEZE, Map.of("name", "n")), "id," + name + "\n1,x\n"))
        .hasMessageContaining("Its columns are: id, " + name.replace(shown, code));
    tables++;
    LoadSpec mapped = spec(OnDrift.FREEZE, Map.of(name, "name"));
    assertThat(loads.load(mapped, "id," + name + "\n1,y\n").warnings()).isEmpty();
  }
}
