package dev.caravan.failure;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What somebody asked for cannot be done as it is asked for; whoever asked has to correct it. */
public final class InvalidParameter extends CaravanException {

  private final String pointer;
  private final String detail;

  /**
   * @param pointer where it stands in the request, as a JSON pointer
   * @param detail what was found and what is allowed
   */
  public InvalidParameter(FailureCode code, String pointer, String detail) {
    this(code, pointer, detail, null);
  }

  /** As above, with the exception that led here. */
  public InvalidParameter(FailureCode code, String pointer, String detail, Throwable cause) {
    super(code, pointer + ": " + detail, cause);
    this.pointer = pointer;
    this.detail = detail;
  }

  /** The JSON pointer (RFC 6901) of a value below keys and indexes. */
  public static String pointer(Object... steps) {
    return Arrays.stream(steps)
        .map(step -> "/" + step.toString().replace("~", "~0").replace("/", "~1"))
        .collect(Collectors.joining());
  }

  /** Where it stands in the request, as a JSON pointer. */
  public String pointer() {
    return pointer;
  }

  /** What was found and what is allowed. */
  public String detail() {
    return detail;
  }
}
