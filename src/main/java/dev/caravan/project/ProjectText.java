package dev.caravan.project;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns the text of a project into a tree: YAML, or JSON when it begins with a brace. Refuses what
 * parsers let through although nobody means it: a key that is given twice, a second document,
 * aliases (which Jackson takes for text).
 */
final class ProjectText {

  private static final StreamReadConstraints LIMITS =
      StreamReadConstraints.builder()
          .maxNestingDepth(20)
          .maxNameLength(1000)
          .maxNumberLength(100)
          .build();
  private static final String LIMITS_IN_WORDS =
      "%d levels, keys of %d and numbers of %d characters"
          .formatted(
              LIMITS.getMaxNestingDepth(), LIMITS.getMaxNameLength(), LIMITS.getMaxNumberLength());

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder()
              // A column may be called no.
              .enable(YAMLParser.Feature.PARSE_BOOLEAN_LIKE_WORDS_AS_STRINGS)
              .streamReadConstraints(LIMITS)
              .build());
  private static final ObjectMapper JSON =
      new ObjectMapper(JsonFactory.builder().streamReadConstraints(LIMITS).build());

  private static final Pattern YAML_MARK =
      Pattern.compile(".*in 'reader', line (\\d{1,9}),", Pattern.DOTALL);

  private final ObjectMapper mapper;
  private final String text;
  private final Problems problems;
  private final String requiredKeys;

  ProjectText(String text, Problems problems, String requiredKeys) {
    this.mapper = text.stripLeading().startsWith("{") ? JSON : YAML;
    this.text = text;
    this.problems = problems;
    this.requiredKeys = requiredKeys;
  }

  /**
   * @throws dev.caravan.failure.CaravanException CONFIG_INVALID with the problems so far. Without a
   *     cause: the parsers' messages quote the text, which may hold a password.
   */
  JsonNode parse() {
    try {
      checkTokens();
      problems.throwIfAny();
      return readTree();
    } catch (StreamConstraintsException e) {
      problems.add(KeyPath.ROOT, "beyond a limit; allowed: " + LIMITS_IN_WORDS);
    } catch (JsonProcessingException e) {
      problems.add(KeyPath.ROOT, syntaxError(e));
    } catch (IOException e) {
      throw new UncheckedIOException("reading from a String", e);
    }
    throw problems.toException();
  }

  private void checkTokens() throws IOException {
    Deque<Set<String>> keysOfObjects = new ArrayDeque<>();
    boolean complete = false;
    try (JsonParser parser = mapper.createParser(text)) {
      while (parser.nextToken() != null) {
        if (complete) {
          problems.add(KeyPath.ROOT, "several documents; allowed: one");
          return;
        }
        checkToken(parser, keysOfObjects);
        complete = parser.getParsingContext().inRoot();
      }
    }
  }

  private void checkToken(JsonParser parser, Deque<Set<String>> keysOfObjects) throws IOException {
    if (parser instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
      problems.add(here(parser), "an alias (*); allowed: the value itself");
    }
    switch (parser.currentToken()) {
      case START_OBJECT -> keysOfObjects.push(new HashSet<>());
      case END_OBJECT -> keysOfObjects.pop();
      case VALUE_EMBEDDED_OBJECT ->
          problems.add(here(parser), "binary data (!!binary); allowed: the value as text");
      case FIELD_NAME -> {
        if (!keysOfObjects.element().add(parser.currentName())) {
          problems.add(here(parser), "given twice; allowed: once (see line " + line(parser) + ")");
        }
      }
      default -> {}
    }
  }

  private JsonNode readTree() throws IOException {
    JsonNode tree = mapper.readTree(text);
    boolean blank = tree.isTextual() && tree.textValue().isBlank();
    if (blank || tree.isMissingNode() || tree.isNull()) {
      problems.add(KeyPath.ROOT, "is empty; required keys: " + requiredKeys);
      throw problems.toException();
    }
    return tree;
  }

  private String syntaxError(JsonProcessingException e) {
    return mapper == JSON
        ? "not valid JSON near line %d; a text that begins with { is read as JSON"
            .formatted(line(e))
        : "not valid YAML near line %d; often a tab in front of a key, or a value that needs quotes because it holds ': ' or ' #' or begins with a special character such as @ or %%"
            .formatted(line(e));
  }

  /** SnakeYAML tells the line only in its message; Jackson's location is that of the last token. */
  private static int line(JsonProcessingException e) {
    Matcher mark = YAML_MARK.matcher(e.getOriginalMessage());
    return mark.lookingAt() ? Integer.parseInt(mark.group(1)) : e.getLocation().getLineNr();
  }

  private static KeyPath here(JsonParser parser) {
    return KeyPath.of(parser.getParsingContext());
  }

  private static int line(JsonParser parser) {
    return parser.currentLocation().getLineNr();
  }
}
