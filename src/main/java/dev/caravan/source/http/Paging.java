package dev.caravan.source.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.source.http.HttpConfig.Pages;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.utils.URIUtils;
import org.apache.hc.core5.net.URIBuilder;

/** How the pages of one answer follow each other; for one pass over them. */
abstract class Paging {

  /** Each kind by its name; one more is one line more. */
  private static final Map<Pages.Kind, BiFunction<Pages, URI, Paging>> KINDS =
      Map.of(
          Pages.Kind.PAGE, ByNumber::new,
          Pages.Kind.OFFSET, ByOffset::new,
          Pages.Kind.CURSOR, ByCursor::new,
          Pages.Kind.LINK, ByAddress::new,
          Pages.Kind.NEXT, ByAddress::new);

  private static final Pattern NEXT_LINK =
      Pattern.compile("<([^>]*)>[^,<]*;\\s*rel\\s*=\\s*\"?(?:[^\",;]* )?next(?=[\" ,;]|$)");

  final Pages pages;
  final URI first;

  /**
   * What is known behind the last record of a page.
   *
   * @param at what stands at a JSON pointer of the page
   * @param links the values of its headers Link
   * @param records how many it had
   * @param read how many there were so far, this page included
   * @param total how many there are to be; -1 when it is not told
   */
  record End(
      Function<String, JsonNode> at, List<String> links, long records, long read, long total) {}

  private Paging(Pages pages, URI first) {
    this.pages = pages;
    this.first = first;
  }

  /**
   * @param pages null for one page
   * @param first the request without anything about pages
   */
  static Paging of(Pages pages, URI first) {
    return pages == null ? new One(first) : KINDS.get(pages.kind()).apply(pages, first);
  }

  /** The address of the page at hand; the first one at the start. */
  abstract URI uri();

  /** Goes to the next page; false when there is none. */
  abstract boolean next(End end);

  /** The same address with another value of the query. */
  URI with(String name, String value) {
    try {
      return new URIBuilder(first).setParameter(name, value).build();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("made of a URI", e);
    }
  }

  static CaravanException bad(String what) {
    return new CaravanException(FailureCode.BAD_ANSWER, what);
  }

  /** A place that was renamed would make the first page the only one, and nobody would notice. */
  void requirePlace(JsonNode value, End end) {
    if (value.isMissingNode() && pages.more() == null && end.total() < 0 && !pages.missingEnds()) {
      throw bad(
          "There is nothing at %s, not even null, to say whether another page follows. If the last page leaves it out, name more or total, or set missing_ends."
              .formatted(pages.at()));
    }
  }

  /** A whole number, also as a text; null when there is none. */
  static Long number(JsonNode value) {
    String text = value.isValueNode() ? value.asText() : "";
    return text.matches("[0-9]{1,18}") ? Long.valueOf(text) : null;
  }

  private static final class One extends Paging {
    One(URI first) {
      super(null, first);
    }

    @Override
    URI uri() {
      return first;
    }

    @Override
    boolean next(End end) {
      return false;
    }
  }

  private static final class ByNumber extends Paging {
    private final long begin;
    private long number;
    private Long last;

    ByNumber(Pages pages, URI first) {
      super(pages, first);
      begin = pages.first() == null ? 1 : pages.first();
      number = begin;
    }

    @Override
    URI uri() {
      return with(pages.query(), String.valueOf(number));
    }

    @Override
    boolean next(End end) {
      if (pages.number() != null && end.records() > 0) {
        Long is = number(end.at().apply(pages.number()));
        if (!Objects.equals(is, number)) {
          throw bad(
              "Page %d was asked for, and the answer says at %s that it is page %s."
                  .formatted(number, pages.number(), is));
        }
      }
      boolean more = end.records() > 0;
      if (pages.last() != null) {
        Long told = number(end.at().apply(pages.last()));
        if (told == null) {
          throw bad(
              "Page %d does not say how many pages there are; found no number at %s."
                  .formatted(number, pages.last()));
        }
        if (last != null && !last.equals(told)) {
          throw new CaravanException(
              FailureCode.SOURCE_CHANGED,
              "There were %d pages at first, and at page %d there are %d."
                  .formatted(last, number, told));
        }
        last = told;
        more = number - begin + 1 < last;
        if (more && end.records() == 0) {
          throw new CaravanException(
              FailureCode.SOURCE_INCOMPLETE,
              "Page %d of %d has no records.".formatted(number, last));
        }
      }
      number++;
      return more;
    }
  }

  private static final class ByOffset extends Paging {
    private long offset;

    ByOffset(Pages pages, URI first) {
      super(pages, first);
      offset = pages.first() == null ? 0 : pages.first();
    }

    @Override
    URI uri() {
      return with(pages.query(), String.valueOf(offset));
    }

    /** A short page is not the last one: a server may give less than it was asked for. */
    @Override
    boolean next(End end) {
      offset += end.records();
      return end.records() > 0 && (end.total() < 0 || end.read() < end.total());
    }
  }

  private static final class ByCursor extends Paging {
    private final Set<String> seen = new HashSet<>();
    private String cursor;

    ByCursor(Pages pages, URI first) {
      super(pages, first);
    }

    @Override
    URI uri() {
      return cursor == null ? first : with(pages.query(), cursor);
    }

    @Override
    boolean next(End end) {
      JsonNode value = end.at().apply(pages.at());
      if (value.isContainerNode()) {
        throw bad("The cursor at %s is no text and no number.".formatted(pages.at()));
      }
      requirePlace(value, end);
      cursor = value.asText("");
      boolean more = !cursor.isEmpty() && !value.isNull();
      if (pages.more() != null) {
        JsonNode says = end.at().apply(pages.more());
        if (!says.isBoolean()) {
          throw bad("Found no true or false at %s.".formatted(pages.more()));
        }
        if (says.booleanValue() && !more) {
          throw bad("There are more records, and no cursor at %s.".formatted(pages.at()));
        }
        more = says.booleanValue();
      }
      if (more && !seen.add(cursor)) {
        throw bad(
            "The cursor '%s' came before; the pages would never end.".formatted(shown(cursor)));
      }
      return more;
    }
  }

  /** The answer has the address of the next one: in a header, or in itself. */
  private static final class ByAddress extends Paging {
    private final Set<URI> seen = new HashSet<>();
    private URI uri;

    ByAddress(Pages pages, URI first) {
      super(pages, first);
      uri = first;
      seen.add(first);
    }

    @Override
    URI uri() {
      return uri;
    }

    @Override
    boolean next(End end) {
      Optional<String> address = pages.kind() == Pages.Kind.LINK ? link(end.links()) : address(end);
      if (address.isEmpty()) {
        return false;
      }
      try {
        uri = URIUtils.resolve(uri, new URI(address.get())); // Java's own loses a path before ?
      } catch (URISyntaxException e) {
        throw bad("The address of the next page is none: '%s'.".formatted(shown(address.get())));
      }
      if (!origin(uri).equals(origin(first)) || uri.getRawUserInfo() != null) {
        throw new CaravanException(
            FailureCode.SOURCE_REFUSED,
            "The next page is at '%s', which is another server than %s; nothing is asked there."
                .formatted(shown(address.get()), origin(first)));
      }
      if (!seen.add(uri)) {
        throw bad(
            "The next page came before: '%s'; the pages would never end."
                .formatted(shown("" + uri)));
      }
      return true;
    }

    private Optional<String> address(End end) {
      JsonNode value = end.at().apply(pages.at());
      requirePlace(value, end);
      if (value.isMissingNode() || value.isNull() || value.asText("x").isEmpty()) {
        return Optional.empty();
      }
      if (!value.isTextual()) {
        throw bad("Found no address at %s.".formatted(pages.at()));
      }
      return Optional.of(value.textValue());
    }

    private static Optional<String> link(List<String> headers) {
      return headers.stream()
          .map(NEXT_LINK::matcher)
          .filter(Matcher::find)
          .map(found -> found.group(1))
          .findFirst();
    }
  }

  /** Scheme, host and port. */
  static String origin(URI uri) {
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
    return "%s://%s:%d"
        .formatted(scheme, String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT), port);
  }

  private static String shown(String text) {
    String line = text.replaceAll("\\p{Cntrl}", " ");
    return line.length() > 200 ? line.substring(0, 200) + "…" : line;
  }
}
