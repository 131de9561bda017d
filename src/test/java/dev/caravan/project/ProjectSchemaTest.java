package dev.caravan.project;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.TableOptions.OnDrift;
import dev.caravan.project.TableOptions.OnError;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProjectSchemaTest {

  private static final ProjectSchema SCHEMA = new ProjectSchema();
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  /** Every section has something to change, and no value is that of an example. */
  private static final String BASE =
      """
      project: abc
      connection: base
      sftp: {host: base.example, username: base, key_path: base}
      defaults: {file_pattern: "*.base", primary_key: base}
      tables: [{file_pattern: base.csv}]
      """;

  /** A key with its path in a document and its subschema, which its {@code $ref} is part of. */
  private record Key(String pointer, JsonNode schema) {

    String section() {
      return pointer.substring(0, pointer.lastIndexOf('/'));
    }

    String name() {
      return pointer.substring(pointer.lastIndexOf('/') + 1);
    }

    JsonNode example() {
      return schema.get("examples").get(0);
    }

    @Override
    public String toString() {
      return pointer;
    }
  }

  static List<Key> keys() {
    List<Key> keys = new ArrayList<>();
    collect("", SCHEMA.root(), keys);
    return keys;
  }

  private static void collect(String pointer, JsonNode schema, List<Key> keys) {
    schema
        .path("properties")
        .properties()
        .forEach(
            property -> {
              JsonNode resolved = SCHEMA.resolve(property.getValue());
              String here = pointer + "/" + property.getKey();
              if (resolved.path("items").has("properties")) {
                collect(here + "/0", resolved.get("items"), keys);
              } else if (resolved.has("properties")) {
                collect(here, resolved, keys);
              } else {
                keys.add(new Key(here, resolved));
              }
            });
  }

  @Test
  void isAValidSchema() {
    assertThat(
            REGISTRY
                .getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"))
                .validate(SCHEMA.root()))
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("keys")
  void explainsEveryKey(Key key) {
    assertThat(key.schema().path("title").asText()).isNotBlank();
    assertThat(key.schema().path("description").asText()).endsWith(".");
    assertThat(key.schema().path("examples")).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("keys")
  void hasADefaultForEveryKeyThatMayBeLeftOut(Key key) {
    boolean takenFromDefaults =
        key.section().equals("/tables/0")
            && SCHEMA.root().at("/properties/defaults/properties").has(key.name());
    boolean required = Set.of("/project", "/connection").contains(key.pointer());

    assertThat(key.schema().has("default")).isEqualTo(!takenFromDefaults && !required);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void allowsItsOwnDefaultsAndExamples(Key key) {
    List<JsonNode> values = new ArrayList<>();
    key.schema().get("examples").forEach(values::add);
    Optional.ofNullable(key.schema().get("default")).ifPresent(values::add);

    assertThat(values)
        .allSatisfy(
            value -> assertThat(REGISTRY.getSchema(key.schema()).validate(value)).isEmpty());
  }

  @ParameterizedTest
  @MethodSource("keys")
  void hasOnlyKeysThatAreRead(Key key) throws Exception {
    assertThat(changed(key)).as("records that change with %s", key).isNotEmpty();
  }

  @Test
  void hasAKeyForEveryComponentOfTheRecords() throws Exception {
    Set<String> changing = new TreeSet<>();
    for (Key key : keys()) {
      changing.addAll(changed(key));
    }

    Set<String> components = components(ProjectTexts.read(BASE)).keySet();
    // The rule that is made of defaults can have neither.
    components.removeAll(
        Set.of(
            "/tables/1/targetTable",
            "/tables/1/options/columnMapping",
            "/tables/1/options/columnTypes"));
    components.removeIf(name -> name.matches(".*/csv/max(Field|Record)Bytes")); // limits of ours
    assertThat(changing).isEqualTo(components);
  }

  /** The components of the records that have another value with this key than without it. */
  private static Set<String> changed(Key key) throws Exception {
    ObjectNode document = (ObjectNode) new YAMLMapper().readTree(BASE);
    ObjectNode section = section(document, key.section());
    if (key.name().equals("password")) {
      section.remove("key_path");
    }
    if (key.name().startsWith("range_")) {
      section.put("mode", "replace_range");
      List.of("range_column", "range_from", "range_to").forEach(part -> section.put(part, "base"));
    }
    if (key.name().equals("detect_changes")) {
      section.put("after_load", "keep");
      document.putObject("schedule").put("cron", "0 0 2 * * ?");
    }
    boolean login = key.name().equals("password");
    String base = login ? BASE : literal(document.toString());
    section.set(key.name(), key.example());
    Map<String, Object> before = components(ProjectTexts.read(base));
    Map<String, Object> after = components(ProjectTexts.read(literal(document.toString())));
    Set<String> changed = new TreeSet<>(after.keySet());
    changed.removeIf(component -> after.get(component).equals(before.get(component)));
    return changed;
  }

  private static ObjectNode section(ObjectNode document, String pointer) {
    JsonNode section = document.at(pointer);
    return section.isMissingNode()
        ? document.putObject(pointer.substring(1))
        : (ObjectNode) section;
  }

  /** Examples of secrets are references, which are for files only. */
  private static String literal(String text) {
    return text.replace("${", "literal {");
  }

  /** The values of all components of all records in it, by their path. */
  private static Map<String, Object> components(Object root) throws ReflectiveOperationException {
    Map<String, Object> components = new TreeMap<>();
    collect("", root, components);
    return components;
  }

  private static void collect(String path, Object value, Map<String, Object> components)
      throws ReflectiveOperationException {
    if (value instanceof Record && !(value instanceof DoneMarker)) {
      for (RecordComponent component : value.getClass().getRecordComponents()) {
        Object part = component.getAccessor().invoke(value);
        collect(path + "/" + component.getName(), part, components);
      }
    } else if (value instanceof Optional<?> optional
        && optional.orElse(null) instanceof SftpServer) {
      collect(path, optional.get(), components);
    } else if (value instanceof Collection<?> list
        && list.stream().anyMatch(TableRule.class::isInstance)) {
      int index = 0;
      for (Object rule : list) {
        collect(path + "/" + index++, rule, components);
      }
    } else {
      components.put(path, value);
    }
  }

  static Stream<Arguments> choices() {
    return Stream.of(
        Arguments.of("/properties/sftp/properties/after_load/enum", AfterLoad.values()),
        Arguments.of("/properties/sftp/properties/download/enum", Download.values()),
        Arguments.of("/properties/sftp/properties/links/enum", SftpConfig.Links.values()),
        Arguments.of("/$defs/on_error/enum", OnError.values()),
        Arguments.of("/$defs/mode/enum", TableOptions.Mode.values()),
        Arguments.of("/$defs/missing_rows/enum", TableOptions.MissingRows.values()),
        Arguments.of("/$defs/on_drift/enum", OnDrift.values()));
  }

  @ParameterizedTest
  @MethodSource("choices")
  void offersTheConstantsOfTheEnums(String pointer, Enum<?>[] constants) {
    assertThat(SCHEMA.root().at(pointer))
        .extracting(JsonNode::textValue)
        .containsExactly(
            Stream.of(constants)
                .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                .toArray(String[]::new));
  }

  @Test
  void allowsTheTableNamesThatAreMadeOfFileNames() {
    String pattern = "^" + TableNaming.TABLE_NAME.pattern() + "$";

    assertThat(SCHEMA.root().at("/$defs/target_table/pattern").textValue()).isEqualTo(pattern);
    assertThat(SCHEMA.root().at("/$defs/db_schema/pattern").textValue()).isEqualTo(pattern);
  }
}
