package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.mapping.FieldMapping;
import dev.caravan.record.mapping.RecordSource;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.NameValuePair;
import org.apache.hc.core5.http.io.entity.HttpEntities;
import org.apache.hc.core5.http.message.BasicNameValuePair;
import org.apache.hc.core5.net.URIBuilder;

/**
 * A source that answers with JSON over HTTP, page by page, as a provider's file describes it. Texts
 * of a job's parameters are encoded, each in its place; they never become anything else.
 */
public final class HttpSource implements RecordSource, Closeable {

  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");

  private final String name;
  private final HttpConfig config;
  private final RequestParameters parameters;
  private final HttpCalls calls;
  private final Authentication authentication;

  /**
   * @param name what messages call it
   * @param document the provider, valid by its schema, its placeholders replaced
   * @throws CaravanException CONFIG_INVALID with all that is wrong, one line for each problem
   */
  public HttpSource(String name, JsonNode document) {
    this.name = name;
    this.config = HttpConfig.of(document);
    this.parameters = new RequestParameters(config.parameters());
    this.calls = new HttpCalls(name, config.limits(), config.perMinute());
    List<String> problems = new ArrayList<>();
    this.authentication = Authentication.of(config.auth(), calls, problems);
    checkAddresses(problems);
    checkNames(problems);
    checkPages(problems);
    checkPlaces(problems);
    if (!problems.isEmpty()) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "The provider %s is wrong:\n  %s".formatted(name, String.join("\n  ", problems)));
    }
  }

  private void checkAddresses(List<String> problems) {
    boolean secret = !Authentication.secrets(config.auth()).isEmpty();
    address("url", config.url(), secret, problems);
    if (config.auth() != null && config.auth().tokenUrl() != null) {
      address("auth.token_url", config.auth().tokenUrl(), true, problems);
    }
  }

  /** A secret goes without TLS to this machine only. */
  private static void address(String key, String url, boolean secret, List<String> problems) {
    try {
      URI uri = new URI(url);
      boolean plain = "http".equals(uri.getScheme());
      if (uri.getHost() == null
          || uri.getRawUserInfo() != null
          || uri.getRawFragment() != null
          || uri.getRawQuery() != null
          || !(plain || "https".equals(uri.getScheme()))) {
        problems.add(
            key + ": allowed is https://host/path, without user, password, query and fragment");
      } else if (plain && secret && !LOOPBACK.contains(uri.getHost())) {
        problems.add(key + ": allowed is https, because of the secret in auth");
      }
    } catch (URISyntaxException e) {
      problems.add(key + ": no URL; allowed is https://host/path");
    }
  }

  private void checkNames(List<String> problems) {
    Set<String> sure = new TreeSet<>();
    config.request().path().forEach(segment -> sure.addAll(ParameterText.names(segment)));
    config
        .request()
        .headers()
        .values()
        .forEach(value -> sure.addAll(ParameterText.names(TextNode.valueOf(value))));
    if (config.request().body() != null) {
      sure.addAll(ParameterText.names(config.request().body()));
    }
    for (String used : sure) {
      if (!parameters.isSure(used)) {
        problems.add(
            "request: {%s}: allowed in path, headers and body is a parameter that is declared under parameters and not optional; there are: %s"
                .formatted(used, parameters.names()));
      }
    }
    Set<String> maybe = new TreeSet<>();
    config.request().query().values().forEach(value -> maybe.addAll(ParameterText.names(value)));
    config.request().form().values().forEach(value -> maybe.addAll(ParameterText.names(value)));
    maybe.removeAll(parameters.names());
    for (String unknown : maybe) {
      problems.add(
          "request: {%s}: allowed is a parameter that is declared under parameters; there are: %s"
              .formatted(unknown, parameters.names()));
    }
  }

  private void checkPages(List<String> problems) {
    HttpConfig.Pages pages = config.pages();
    if (pages == null) {
      return;
    }
    boolean byQuery =
        switch (pages.kind()) {
          case PAGE, OFFSET, CURSOR -> true;
          case LINK, NEXT -> false;
        };
    if (byQuery && pages.query() == null) {
      problems.add("pages.query: missing; the name of the query parameter that asks for a page");
    }
    boolean byPlace =
        pages.kind() == HttpConfig.Pages.Kind.CURSOR || pages.kind() == HttpConfig.Pages.Kind.NEXT;
    if (byPlace && pages.at() == null) {
      problems.add("pages.at: missing; the JSON pointer of what leads to the next page");
    }
    if (pages.query() != null && config.request().query().containsKey(pages.query())) {
      problems.add("request.query: '%s' belongs to pages".formatted(pages.query()));
    }
  }

  /** The records go by one at a time; what is beside them is kept whole. */
  private void checkPlaces(List<String> problems) {
    String records = config.answer().records();
    for (String place : config.beside()) {
      if ((records + "/").startsWith(place + "/")
          || (!records.isEmpty() && place.startsWith(records + "/"))) {
        problems.add(
            "answer.records: '%s' and '%s' lie in each other; allowed is what stands beside the records"
                .formatted(records, place));
      }
    }
  }

  @Override
  public Map<String, ?> parameters(Map<String, ?> given) {
    return parameters.check(given);
  }

  /** Asks for the first page, up to its first record. */
  @Override
  public void check(Map<String, ?> given, FieldMapping mapping) throws IOException {
    try (HttpRecords records = read(given, mapping)) {
      records.readAhead();
    }
  }

  /** The records of all pages; the first request leaves when they are looked for. */
  @Override
  public HttpRecords read(Map<String, ?> given, FieldMapping mapping) {
    Map<String, ?> checked = parameters.check(given);
    return new HttpRecords(name, config, request(checked), calls, authentication);
  }

  /**
   * One request with the values of a job, without anything about pages.
   *
   * @param headers without those of the credential
   */
  record Request(String method, URI uri, Map<String, String> headers, HttpEntity body) {}

  private Request request(Map<String, ?> checked) {
    HttpConfig.Request wanted = config.request();
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Accept", "application/json");
    wanted.headers().forEach((key, value) -> headers.put(key, header(key, value, checked)));
    return new Request(wanted.method(), uri(checked), headers, body(checked));
  }

  private URI uri(Map<String, ?> checked) {
    try {
      URIBuilder uri = new URIBuilder(config.url().replaceAll("/+$", ""), StandardCharsets.UTF_8);
      List<String> segments = new ArrayList<>();
      for (JsonNode segment : config.request().path()) {
        String text = ParameterText.fill(segment, checked);
        if (text.isEmpty() || text.equals(".") || text.equals("..")) {
          throw RequestParameters.invalid(
              ParameterText.names(segment).stream().findFirst().orElse("path"),
              "allowed is a text that can be a step of a path; found '%s'.".formatted(text));
        }
        segments.add(text);
      }
      if (!segments.isEmpty()) {
        uri.appendPathSegments(segments);
      }
      config
          .request()
          .query()
          .forEach(
              (key, value) -> texts(value, checked).forEach(text -> uri.addParameter(key, text)));
      return uri.build();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the address was checked at the start", e);
    }
  }

  /** A list is the parameter several times; what was not given is left out. */
  private static List<String> texts(JsonNode value, Map<String, ?> checked) {
    List<String> texts = new ArrayList<>();
    for (JsonNode item : value.isArray() ? value : List.of(value)) {
      String text = ParameterText.fill(item, checked);
      if (text != null) {
        texts.add(text);
      }
    }
    return texts;
  }

  private static String header(String key, String value, Map<String, ?> checked) {
    String text = ParameterText.fill(TextNode.valueOf(value), checked);
    if (text.chars().anyMatch(c -> c < ' ' || c > '~')) {
      throw RequestParameters.invalid(
          ParameterText.names(TextNode.valueOf(value)).stream().findFirst().orElse("headers"),
          "the header %s takes plain ASCII on one line.".formatted(key));
    }
    return text;
  }

  private HttpEntity body(Map<String, ?> checked) {
    HttpConfig.Request wanted = config.request();
    if (wanted.body() != null) {
      String json = ParameterText.fillJson(wanted.body(), checked).toString();
      return HttpEntities.create(
          json.getBytes(StandardCharsets.UTF_8), ContentType.APPLICATION_JSON);
    }
    if (wanted.form().isEmpty()) {
      return null;
    }
    List<NameValuePair> fields = new ArrayList<>();
    wanted
        .form()
        .forEach(
            (key, value) ->
                texts(value, checked)
                    .forEach(text -> fields.add(new BasicNameValuePair(key, text))));
    return HttpEntities.createUrlEncoded(fields, StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    calls.close();
  }
}
