package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.record.json.JsonPage;
import dev.caravan.record.json.RecordPath;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;

/**
 * The records of all pages of one answer, one after the other, pulled once; one page is open at a
 * time, and one record of it is held. An answer that is not understood is a failure.
 */
final class HttpRecords implements Iterator<Map<String, ?>>, Closeable {

  private static final int OK = 200;
  private static final int CACHED_BY_A_PROXY = 203;
  private static final int NOT_MODIFIED = 304;
  private static final int LOOK_AHEAD = 64 * 1024;
  private static final int MAX_TEXT = 300;
  private static final Pattern TOKENS =
      Pattern.compile("(?i)(\\bbearer\\s+)[^\\s\"',]+|eyJ[\\w-]*\\.[\\w-]*\\.?[\\w-]*");

  private final String source;
  private final HttpConfig config;
  private final HttpSource.Request request;
  private final HttpCalls calls;
  private final Authentication authentication;
  private final Paging paging;
  private final RecordPath path;
  private final List<AnswerRule> rules;
  private final Set<String> wanted;
  private ClassicHttpResponse answer;
  private JsonPage page;
  private long pages;
  private long records;
  private long recordsOfPage;
  private MessageDigest digest;
  private byte[] lastDigest;
  private Long total;
  private String version;
  private boolean ended;
  private RuntimeException failure;

  HttpRecords(
      String source,
      HttpConfig config,
      HttpSource.Request request,
      HttpCalls calls,
      Authentication authentication) {
    this.source = source;
    this.config = config;
    this.request = request;
    this.calls = calls;
    this.authentication = authentication;
    this.paging = Paging.of(config.pages(), request.uri());
    this.path = RecordPath.of(config.answer().records());
    this.rules = config.allRules();
    this.wanted = config.beside();
  }

  @Override
  public boolean hasNext() {
    if (failure != null) {
      throw failure; // a stream that broke has no end that could be taken for one
    }
    try {
      while (!ended) {
        if (page == null) {
          open();
        }
        if (page != null && page.hasNext()) {
          return true;
        }
        if (page != null) {
          finish();
        }
      }
      return false;
    } catch (UncheckedIOException e) {
      throw failed(e.getCause());
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
  }

  /** Nobody pulls any further. */
  private RuntimeException failed(Exception cause) {
    failure = HttpCalls.unchecked(new HttpFailure(source).of(cause));
    try {
      close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /** Asks for the first page, up to its first record; throws what reading it would. */
  void readAhead() {
    boolean unused = hasNext();
  }

  @Override
  public Map<String, ?> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Map<String, ?> record = page.next();
    records++;
    recordsOfPage++;
    if (digest != null) {
      digest.update(record.toString().getBytes(StandardCharsets.UTF_8));
    }
    return record;
  }

  /** Asks for the page at hand and reads up to its first record. */
  private void open() throws IOException {
    if (++pages > config.limits().pages()) {
      throw new CaravanException(
          FailureCode.SOURCE_TOO_LARGE,
          "%s: there are more than %,d pages, which is the limit; ask for less, or raise limits.pages."
              .formatted(source, config.limits().pages()));
    }
    answer =
        calls.send(
            request.method(), paging.uri(), request.headers(), request.body(), authentication);
    int status = answer.getCode();
    if (config.answer().none().contains(status)) {
      if (pages > 1) {
        throw incomplete("page %d is not there (HTTP %d).".formatted(pages, status));
      }
      ended = true;
      answer.close();
      return;
    }
    if (status != OK && status != CACHED_BY_A_PROXY) {
      throw refused(status);
    }
    openPage(status);
  }

  private void openPage(int status) throws IOException {
    HttpEntity entity = answer.getEntity();
    InputStream in =
        new BufferedInputStream(
            entity == null ? InputStream.nullInputStream() : entity.getContent(), LOOK_AHEAD);
    in.mark(LOOK_AHEAD);
    JsonPage opened = JsonPage.open(in, path, wanted);
    if (!opened.isJson()) {
      in.reset();
      throw noJson(status, in.readNBytes(MAX_TEXT));
    }
    page = opened;
    recordsOfPage = 0;
    digest = config.pages() == null ? null : sha256();
    if (page.hasNext()) {
      complain(status); // what an error says counts more than its records
    }
  }

  /** Behind the last record of a page. */
  private void finish() throws IOException {
    complain(answer.getCode());
    checkTotal();
    checkVersion();
    page.missing().ifPresent(this::requireNothing);
    checkRepeated();
    List<String> links = Stream.of(answer.getHeaders("Link")).map(Header::getValue).toList();
    close();
    ended =
        !paging.next(
            new Paging.End(page::value, links, recordsOfPage, records, total == null ? -1 : total));
    page = null;
    if (ended) {
      checkCount();
    }
  }

  private void requireNothing(String place) {
    boolean empty = page.isNull() && total != null && total == 0;
    if (!empty) {
      throw new CaravanException(
          FailureCode.BAD_ANSWER,
          "%s: the answer has %s %s, where the way to its records is; they are to be at '%s'."
              .formatted(
                  source,
                  page.isNull() ? "null at" : "nothing of use at",
                  place.isEmpty() ? "its root" : place,
                  config.answer().records()));
    }
  }

  private void checkTotal() {
    String at = config.answer().total();
    if (at == null) {
      return;
    }
    Long told = Paging.number(page.value(at));
    if (told == null) {
      throw new CaravanException(
          FailureCode.BAD_ANSWER,
          "%s: page %d does not say how many records there are; found no number at %s."
              .formatted(source, pages, at));
    }
    if (total != null && !total.equals(told)) {
      throw changed("there were %d records at first, and at page %d there are %d", total, told);
    }
    total = told;
  }

  private void checkVersion() {
    String at = config.answer().version();
    if (at == null) {
      return;
    }
    JsonNode value = page.value(at);
    if (value.isNull() && total != null && total == 0) {
      return; // what is not there has no version
    }
    if (!value.isValueNode() || value.isNull()) {
      throw new CaravanException(
          FailureCode.BAD_ANSWER,
          "%s: page %d does not tell its version; found none at %s.".formatted(source, pages, at));
    }
    if (version != null && !version.equals(value.asText())) {
      throw changed(
          "the version was %s at first, and at page %d it is %s", version, shown(value.asText()));
    }
    version = value.asText();
  }

  private CaravanException changed(String what, Object before, Object after) {
    return new CaravanException(
        FailureCode.SOURCE_CHANGED,
        "%s: %s; the source changed in between."
            .formatted(source, what.formatted(before, pages, after)));
  }

  /** A source that does not know the parameter of the pages gives the first one for ever. */
  private void checkRepeated() {
    if (digest == null || recordsOfPage == 0) {
      return;
    }
    byte[] now = digest.digest();
    if (Arrays.equals(now, lastDigest)) {
      throw new CaravanException(
          FailureCode.BAD_ANSWER,
          "%s: page %d has the records of the page before, letter by letter; does the source know the parameter '%s'?"
              .formatted(source, pages, config.pages().query()));
    }
    lastDigest = now;
  }

  private void checkCount() {
    if (total != null && total != records) {
      throw incomplete(
          "%d records were announced, and %d came on %d pages.".formatted(total, records, pages));
    }
    Long limit = config.answer().limit();
    if (limit != null && records >= limit) {
      throw incomplete(
          "there are %d records, which is the most that the source gives; it has cut the answer. Ask for less."
              .formatted(records));
    }
  }

  private CaravanException incomplete(String what) {
    return new CaravanException(FailureCode.SOURCE_INCOMPLETE, source + ": " + what);
  }

  private void complain(int status) {
    for (AnswerRule rule : rules) {
      JsonNode value = rule.at() == null ? MissingNode.getInstance() : page.value(rule.at());
      if (rule.at() != null && rule.fits(status, true, value)) {
        throw failure(rule.code(), "it answers with an error", status, value);
      }
    }
  }

  private CaravanException noJson(int status, byte[] start) {
    JsonNode text = TextNode.valueOf(new String(start, StandardCharsets.UTF_8));
    FailureCode code =
        rules.stream()
            .filter(rule -> rule.at() == null && rule.fits(status, false, text))
            .findFirst()
            .map(AnswerRule::code)
            .orElse(FailureCode.BAD_ANSWER);
    return failure(
        code, start.length == 0 ? "its answer is empty" : "its answer is no JSON", status, text);
  }

  /** What was answered instead of records. */
  private CaravanException refused(int status) throws IOException {
    byte[] small = HttpCalls.small(answer);
    JsonNode body = HttpCalls.json(small);
    boolean isJson = !body.isMissingNode();
    JsonNode text = TextNode.valueOf(new String(small, StandardCharsets.UTF_8));
    for (AnswerRule rule : rules) {
      JsonNode value = rule.at() == null ? text : body.at(rule.at());
      if (rule.fits(status, isJson, value)) {
        return failure(rule.code(), HttpStatus.meaning(status), status, value);
      }
    }
    if (status < 300 || status == NOT_MODIFIED) {
      return failure(FailureCode.BAD_ANSWER, "its answer is not one with records", status, text);
    }
    return failure(HttpStatus.code(status), HttpStatus.meaning(status), status, text);
  }

  private CaravanException failure(FailureCode code, String what, int status, JsonNode says) {
    String text = shown(AnswerRule.text(says));
    String message =
        "%s: %s (HTTP %d)%s"
            .formatted(source, what, status, text.isBlank() ? "." : ". It says: " + text);
    Header after = answer.getFirstHeader("Retry-After");
    if (code == FailureCode.SOURCE_LIMIT || (code.retryable() && after != null)) {
      ChronoUnit unit =
          switch (config.answer().retryAfter()) {
            case SECONDS -> ChronoUnit.SECONDS;
            case MILLISECONDS -> ChronoUnit.MILLIS;
          };
      Duration pause =
          HttpStatus.pause(after == null ? "" : after.getValue(), unit, HttpStatus.MAX_PAUSE);
      return CaravanException.retryAfter(code, message, pause);
    }
    return new CaravanException(code, message);
  }

  /** On one line, short, and without a secret of ours that it may repeat. */
  private String shown(String text) {
    String clean = text;
    for (String secret : Authentication.secrets(config.auth())) {
      clean = clean.replace(secret, "***");
    }
    clean =
        TOKENS
            .matcher(clean)
            .replaceAll(found -> (found.group(1) == null ? "" : found.group(1)) + "***");
    clean = clean.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return clean.length() > MAX_TEXT ? clean.substring(0, MAX_TEXT) + "…" : clean;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public void close() throws IOException {
    if (page != null) {
      page.close();
    }
    if (answer != null) {
      answer.close();
      answer = null;
    }
  }
}
