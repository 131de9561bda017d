package dev.caravan.web;

import dev.caravan.access.Caller;
import dev.caravan.upload.Uploads;
import io.vertx.core.Handler;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * Answers {@code POST /api/v1/uploads}: takes a file while it comes, a piece in memory at a time.
 * No route of Camel does: it would hold one of the few threads of all calls for as long as the
 * caller sends.
 */
public final class UploadsApi implements Handler<RoutingContext> {

  /** What no upload may use of the disk that has the database. */
  static final long RESERVE = 1L << 30;

  private static final Pattern FILENAME =
      Pattern.compile("(?![.])[^\\p{Cntrl}/\\\\*?\\[\\]]{1,255}");

  private final Uploads uploads;
  private final Limits limits;
  private final Share slots;
  private WorkerExecutor workers;

  /**
   * How much is taken.
   *
   * @param maxBytes of one file
   * @param concurrent uploads at once
   * @param freeBytes of the disk that has the database; a large number if it is another machine's
   */
  public record Limits(long maxBytes, int concurrent, LongSupplier freeBytes) {

    /** Of one tenant at once: half of all, so that there is room for others. */
    int ofTenant() {
      return Math.max(1, concurrent / 2);
    }

    boolean isFull(long more) {
      return freeBytes.getAsLong() - more < RESERVE;
    }
  }

  /** Keeps files there. */
  public UploadsApi(Uploads uploads, Limits limits) {
    this.uploads = uploads;
    this.limits = limits;
    this.slots = new Share(limits.ofTenant(), limits.concurrent());
  }

  @Override
  public void handle(RoutingContext call) {
    Optional<Problem> refusal = refusal(call.request());
    Caller caller = (Caller) call.user().attributes().getValue(Guard.CALLER);
    if (refusal.isPresent()) {
      Guard.refuse(call, refusal.get());
    } else if (!slots.take(caller.tenant())) {
      call.response().putHeader("Retry-After", "10");
      Guard.refuse(
          call,
          new Problem(
              ProblemCode.TOO_MANY_UPLOADS,
              "%d uploads of the tenant, or %d in all, are under way; wait, then try again."
                  .formatted(limits.ofTenant(), limits.concurrent())));
    } else {
      UploadTransfer transfer = new UploadTransfer(call, uploads, limits, workers(call));
      transfer.start(() -> slots.give(caller.tenant()));
    }
  }

  /** What can be said before the first byte. */
  private Optional<Problem> refusal(HttpServerRequest request) {
    long announced = length(request);
    if (announced > limits.maxBytes()) {
      return Optional.of(tooLarge(limits));
    }
    if (limits.isFull(announced)) {
      return Optional.of(full());
    }
    String filename = request.getParam("filename");
    boolean form = isForm(request);
    if (form == (filename != null) || (!form && !isFilename(filename))) {
      return Optional.of(badName());
    }
    return Optional.empty();
  }

  private static long length(HttpServerRequest request) {
    String header = request.getHeader("Content-Length");
    return header != null && header.matches("[0-9]{1,18}") ? Long.parseLong(header) : 0;
  }

  static boolean isForm(HttpServerRequest request) {
    return request
        .getHeader("Content-Type")
        .toLowerCase(java.util.Locale.ROOT)
        .startsWith("multipart/form-data");
  }

  static boolean isFilename(String name) {
    return name != null && FILENAME.matcher(name).matches();
  }

  static Problem tooLarge(Limits limits) {
    return new Problem(
        ProblemCode.TOO_LARGE, "A file of %d bytes at most is taken.".formatted(limits.maxBytes()));
  }

  static Problem full() {
    return new Problem(
        ProblemCode.INSUFFICIENT_STORAGE, "The disk of the database has no room for the file.");
  }

  static Problem badName() {
    return new Problem(
        ProblemCode.BAD_PARAMETER,
        "The file needs a plain name of 1 to 255 characters: in the parameter filename, or, with multipart/form-data, in its part and not there.");
  }

  private synchronized WorkerExecutor workers(RoutingContext call) {
    if (workers == null) {
      workers =
          call.vertx().createSharedWorkerExecutor("uploads", Math.min(limits.concurrent(), 4));
    }
    return workers;
  }
}
