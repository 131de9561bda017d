package dev.caravan.source.http;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the file of a provider says of an HTTP source. {@code provider.schema.json} has described,
 * and checked, each key.
 *
 * @param url scheme, host, port and, perhaps, the beginning of the path
 * @param parameters by dotted name, each a JSON Schema with {@code optional} beside
 * @param perMinute requests in a minute at the most; null for no limit of ours
 */
@JsonIgnoreProperties(ignoreUnknown = true) // the keys of the load
record HttpConfig(
    String url,
    Map<String, ObjectNode> parameters,
    Request request,
    Auth auth,
    Pages pages,
    Answer answer,
    List<AnswerRule> rules,
    Limits limits,
    Integer perMinute) {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .build();

  HttpConfig {
    parameters = parameters == null ? Map.of() : parameters;
    request = request == null ? new Request(null, null, null, null, null, null) : request;
    answer = answer == null ? new Answer(null, null, null, null, null, null, null) : answer;
    rules = rules == null ? List.of() : rules;
    limits = limits == null ? new Limits(null, null, null, null) : limits;
  }

  static HttpConfig of(JsonNode document) {
    return MAPPER.convertValue(document, HttpConfig.class);
  }

  /** The rules, and behind them what {@code answer.error} says. */
  List<AnswerRule> allRules() {
    return answer.error() == null
        ? rules
        : Stream.concat(rules.stream(), Stream.of(AnswerRule.error(answer.error()))).toList();
  }

  /** The pointers of all that is looked at beside the records of a page. */
  Set<String> beside() {
    return Stream.concat(
            allRules().stream().map(AnswerRule::at),
            pages == null
                ? Stream.of(answer.total(), answer.version())
                : Stream.of(
                    answer.total(),
                    answer.version(),
                    pages.at(),
                    pages.last(),
                    pages.number(),
                    pages.more()))
        .filter(Objects::nonNull)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What is asked; texts with {@code {name}} take parameters. */
  record Request(
      String method,
      List<JsonNode> path,
      Map<String, JsonNode> query,
      Map<String, String> headers,
      JsonNode body,
      Map<String, JsonNode> form) {

    Request {
      method = method == null ? (body == null && form == null ? "GET" : "POST") : method;
      path = path == null ? List.of() : path;
      query = query == null ? Map.of() : query;
      headers = headers == null ? Map.of() : headers;
      form = form == null ? Map.of() : form;
    }
  }

  /** Who asks; which keys a type needs says {@link Authentication}. */
  record Auth(
      String type,
      String header,
      String secret,
      String user,
      String password,
      String token,
      String tokenUrl,
      String clientId,
      String clientSecret,
      String scope,
      String resource,
      String algorithm,
      String key,
      String keyId,
      String issuer,
      String subject,
      String audience,
      Map<String, JsonNode> claims) {}

  /** How the pages follow each other; null for a source of one page. */
  record Pages(
      Kind kind,
      String query,
      Long first,
      String at,
      String last,
      String number,
      String more,
      Boolean missingEnds) {

    Pages {
      missingEnds = Boolean.TRUE.equals(missingEnds);
    }

    /** Kinds of paging. */
    enum Kind {
      PAGE,
      OFFSET,
      CURSOR,
      LINK,
      NEXT
    }
  }

  /**
   * What an answer looks like.
   *
   * @param none statuses that mean that there are no records
   * @param limit so many records are an answer that was cut
   * @param retryAfter what a number in Retry-After counts
   */
  record Answer(
      String records,
      String error,
      String total,
      String version,
      List<Integer> none,
      Long limit,
      RetryUnit retryAfter) {

    Answer {
      records = records == null ? "" : records;
      none = none == null ? List.of() : none;
      retryAfter = retryAfter == null ? RetryUnit.SECONDS : retryAfter;
    }
  }

  /** What a number in Retry-After counts. */
  enum RetryUnit {
    SECONDS,
    MILLISECONDS
  }

  /** Bytes, seconds and seconds of silence of one answer, and pages of all, at the most. */
  record Limits(Long bytes, Long seconds, Long silence, Long pages) {

    Limits {
      bytes = bytes == null ? 1L << 30 : bytes;
      seconds = seconds == null ? 600 : seconds;
      silence = silence == null ? 60 : silence;
      pages = pages == null ? 10_000 : pages;
    }
  }
}
