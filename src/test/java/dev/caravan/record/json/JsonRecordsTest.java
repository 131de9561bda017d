package dev.caravan.record.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.RecordStream.Step;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every record of the document, or a failure with a code: never some of them, never none. */
class JsonRecordsTest {

  private static List<String> ids(String json, String pointer) throws IOException {
    return ids(json.getBytes(StandardCharsets.UTF_8), pointer);
  }

  private static List<String> ids(byte[] json, String pointer) throws IOException {
    List<String> ids = new ArrayList<>();
    JsonRecords records = JsonRecords.read(new ByteArrayInputStream(json), pointer);
    while (records.hasNext()) {
      ids.add(String.valueOf(records.next().get("id")));
    }
    assertThat(records.hasNext()).isFalse();
    return ids;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          /         | [{"id":1},{"id":2}]                                  | 1 2
          /         | {"id":1}                                             | 1
          /         | {"id":1} {"id":2}                                    | 1 2
          /         | []                                                   |
          /         | `   `                                                |
          /data     | {"data":[{"id":1},{"id":2}]}                         | 1 2
          /data     | {"n":{"data":[{"id":9}]},"data":[{"id":1}],"x":[[]]} | 1
          /data     | {"data":[]}                                          |
          /data     | {"data":{"id":1},"more":false}                       | 1
          /a/b      | {"a":{"x":[1],"b":[{"id":1}],"y":{"b":3}},"b":[7]}   | 1
          /1        | [{"page":1},[{"id":1},{"id":2}]]                     | 1 2
          /1/data/0 | [{}, {"data":[[{"id":1}],[{"id":5}]]}, 3]            | 1
          /a~1b~0c  | {"a/b~c":[{"id":1}]}                                 | 1
          /0        | {"0":[{"id":1}]}                                     | 1
          """)
  void readsEveryRecordAndTheRestOfTheDocument(String pointer, String json, String ids)
      throws IOException {
    assertThat(String.join(" ", ids(json, pointer))).isEqualTo(ids == null ? "" : ids);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          /     | [{"id":1}] [{"id":2}]                | behind the document stands an array
          /     | [{"id":1}] {"id":2}                  | behind the document stands an object
          /     | [{"id":1}] 7                         | behind the document stands a number
          /     | [{"id":1}] xyz                       | Unrecognized token
          /     | [{"id":1}]]                          | Unexpected close marker
          /     | {"id":1} [{"id":2}]                  | record 2 is no JSON object but an array
          /     | [{"id":1},null,{"id":2}]             | record 2 is no JSON object but null
          /     | [1,2]                                | record 1 is no JSON object but a number
          /     | "text"                               | a text, no array and no object
          /     | null                                 | is null, no array
          /     | <html>                               | Unexpected character
          /data | {"data":[{"id":1}]} {"data":[{"id":2}]} | behind the document stands an object
          /data | {"data":[{"id":1}]} x                | Unrecognized token
          /data | {"data":[{"id":1}],"data":[{"id":2}]} | 'data' is given twice
          /data | {"error":"no such report","code":7}  | nothing at '/data'; there it has: error, code
          /data | {}                                   | nothing at '/data'
          /data | {"data":null}                        | '/data' is null
          /data | {"data":"none"}                      | '/data' is a text
          /data | [{"id":1}]                           | nothing at '/data'; there is an array of 1
          /a/b  | {"a":{"c":[]}}                       | nothing at '/a/b'; there it has: c
          /a/b  | {"a":[1]}                            | nothing at '/a/b'; there is an array of 1
          /1    | [[{"id":1}]]                         | nothing at '/1'; there is an array of 1
          /data | ``                                   | nothing at '/data'
          /data | 7                                    | nothing at '/data'
          """)
  void whatIsNotUnderstoodFails(String pointer, String json, String part) {
    assertThatThrownBy(() -> ids(json, pointer))
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.BAD_JSON))
        .hasMessageContaining(part);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          /     | [{"id":1},{"id":2}]
          /data | {"a":{"x":[1,2]},"data":[{"id":1},{"id":2}],"more":{"y":[]}}
          /1/d  | [{},{"d":[{"id":1}],"e":1},5]
          """)
  void everyCutFails(String pointer, String json) throws IOException {
    assertThat(ids(json, pointer)).isNotEmpty();
    for (int length = 1; length < json.length(); length++) {
      String cut = json.substring(0, length);
      assertThatThrownBy(() -> ids(cut, pointer))
          .as(cut)
          .isInstanceOfSatisfying(
              CaravanException.class,
              e -> assertThat(e.code()).isEqualTo(FailureCode.SOURCE_INCOMPLETE));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
  void knowsTheEncodingsOfJson(String charset) throws IOException {
    String json = "{\"data\":[{\"id\":\"Größe\"}]}";
    assertThat(ids(json.getBytes(Charset.forName(charset)), "/data")).containsExactly("Größe");
    assertThat(ids(("\uFEFF" + json).getBytes(Charset.forName(charset)), "/data"))
        .containsExactly("Größe");
  }

  @Test
  void aRecordThatIsNullIsNotTheEnd() {
    List<Map<String, ?>> records = Arrays.asList(Map.of("id", 1), null, Map.of("id", 2));
    MapRecordStream stream = MapRecordStream.open(records.iterator());
    assertThat(stream.next()).isEqualTo(Step.RECORD);
    assertThatThrownBy(stream::next)
        .isInstanceOf(CaravanException.class)
        .hasMessageContaining("Record 2 is null");
  }

  @Test
  void anEnvelopeHasNothingBehindIt() {
    String two = "{\"data\":[{\"id\":1}]} {\"data\":[{\"id\":2}]}";
    JsonEnvelope envelope =
        JsonEnvelope.read(
            new ByteArrayInputStream(two.getBytes(StandardCharsets.UTF_8)), "data", (n, v) -> {});
    assertThat(envelope.next()).isEqualTo(Map.of("id", 1));
    assertThatThrownBy(envelope::hasNext)
        .isInstanceOfSatisfying(
            CaravanException.class, e -> assertThat(e.code()).isEqualTo(FailureCode.BAD_JSON))
        .hasMessageContaining("behind");
  }
}
