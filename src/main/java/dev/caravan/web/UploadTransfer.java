package dev.caravan.web;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.access.Caller;
import dev.caravan.upload.Uploads;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerFileUpload;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.streams.ReadStream;
import io.vertx.ext.web.RoutingContext;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One upload under way. It runs on the event loop of its connection; only what talks to the
 * database runs elsewhere, and the caller's bytes wait meanwhile. Whatever happens, the slot is
 * given back and nothing of an upload that did not end well is kept.
 */
final class UploadTransfer {

  private static final Logger LOG = LoggerFactory.getLogger(UploadTransfer.class);
  private static final int PIECE = 1 << 20;
  private static final long IDLE_MILLIS = 30_000;

  /** Less, counted from the start on, is a caller who means to hold a slot. */
  private static final long LEAST_BYTES_PER_SECOND = 4 * 1024;

  private static final long DEADLINE_MILLIS = 6 * 3_600_000;
  private static final long DRAIN_MILLIS = 1_000;
  private static final int CREATED = 201;
  private static final String DISK_FULL = "53100";

  private final RoutingContext call;
  private final Uploads uploads;
  private final UploadsApi.Limits limits;
  private final WorkerExecutor workers;
  private final MessageDigest sha256 = sha256();
  private Runnable release;
  private long timer;
  private ReadStream<Buffer> source;
  private Buffer pending = Buffer.buffer();
  private UUID id;
  private int pieces;
  private long bytes;
  private long began;
  private long lastBytes;
  private boolean writing;
  private boolean requestEnded;
  private boolean partEnded = true;
  private boolean over;
  private boolean closed;
  private boolean kept;

  UploadTransfer(
      RoutingContext call, Uploads uploads, UploadsApi.Limits limits, WorkerExecutor workers) {
    this.call = call;
    this.uploads = uploads;
    this.limits = limits;
    this.workers = workers;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Begins to take bytes.
   *
   * @param release called once, when all is over
   */
  void start(Runnable release) {
    HttpServerRequest request = call.request();
    began = System.currentTimeMillis();
    lastBytes = began;
    this.release = release;
    this.timer = call.vertx().setPeriodic(IDLE_MILLIS / 3, tick -> closeIfIdle());
    call.addEndHandler(
        done -> close(done.succeeded() && call.response().getStatusCode() == CREATED));
    if (call.response().closed()) { // before anybody listened
      close(false);
      return;
    }
    request.exceptionHandler(e -> refuse(new Problem(ProblemCode.BAD_REQUEST, "The body is cut.")));
    if (UploadsApi.isForm(request)) {
      startForm(request);
    } else {
      source = request;
      take(request.getParam("filename"), request);
      request.endHandler(end -> requestEnded());
    }
  }

  private void close(boolean withAnswer) {
    if (!closed) {
      closed = true;
      kept = withAnswer;
      call.vertx().cancelTimer(timer);
      release.run();
      discardUnlessKept();
    }
  }

  private void closeIfIdle() {
    if (call.response().closed()) {
      close(false);
    } else if (!writing && isTooSlow(System.currentTimeMillis())) {
      call.request().connection().close();
    }
  }

  private boolean isTooSlow(long now) {
    return isTooSlow(now - began, now - lastBytes, bytes);
  }

  /** By the milliseconds since its start and since its last bytes. */
  static boolean isTooSlow(long age, long idle, long bytes) {
    long counted = Math.max(0, age - IDLE_MILLIS);
    return idle > IDLE_MILLIS
        || age > DEADLINE_MILLIS
        || bytes < counted / 1000 * LEAST_BYTES_PER_SECOND;
  }

  private void startForm(HttpServerRequest request) {
    try {
      request.setExpectMultipart(true);
    } catch (IllegalStateException e) {
      refuse(new Problem(ProblemCode.BAD_REQUEST, "The form has no boundary."));
      return;
    }
    request.uploadHandler(this::takePart);
    request.endHandler(end -> requestEnded());
  }

  private void takePart(HttpServerFileUpload part) {
    if (source != null) {
      refuse(new Problem(ProblemCode.BAD_REQUEST, "The form has more than one file."));
    } else if (!UploadsApi.isFilename(part.filename())) {
      refuse(UploadsApi.badName());
    } else {
      source = part;
      partEnded = false; // its bytes may wait when the request has ended
      part.endHandler(
          end -> {
            partEnded = true;
            finishIfDone();
          });
      part.exceptionHandler(e -> refuse(new Problem(ProblemCode.BAD_REQUEST, "The form is cut.")));
      take(part.filename(), part);
    }
  }

  private void take(String filename, ReadStream<Buffer> from) {
    from.handler(this::receive);
    Caller caller = (Caller) call.user().attributes().getValue(Guard.CALLER);
    write(
        () -> {
          id = uploads.begin(caller.tenant(), filename);
          return null;
        });
  }

  private void receive(Buffer buffer) {
    lastBytes = System.currentTimeMillis();
    if (over || closed) {
      return;
    }
    bytes += buffer.length();
    if (bytes > limits.maxBytes()) {
      refuse(UploadsApi.tooLarge(limits));
      return;
    }
    pending.appendBuffer(buffer);
    if (pending.length() >= PIECE && !writing) {
      writePiece();
    }
  }

  private void writePiece() {
    byte[] piece = pending.getBytes();
    int number = pieces++;
    pending = Buffer.buffer();
    write(
        () -> {
          if (limits.isFull(0)) {
            throw new SQLException("the reserve is reached", DISK_FULL);
          }
          sha256.update(piece);
          uploads.append(id, number, piece);
          return null;
        });
  }

  /** Bytes wait until it is done; there is one at a time. */
  private void write(Callable<Void> work) {
    writing = true;
    source.pause();
    workers
        .executeBlocking(work, false)
        .onComplete(
            done -> {
              writing = false;
              lastBytes = System.currentTimeMillis();
              if (closed) {
                discardUnlessKept();
              } else if (done.failed()) {
                failed(done.cause());
              } else if (pending.length() >= PIECE) {
                writePiece();
              } else {
                source.resume();
                finishIfDone();
              }
            });
  }

  private void requestEnded() {
    requestEnded = true;
    finishIfDone();
  }

  /** When the request has ended all its bytes are here: a part that still goes on has no end. */
  private void refuseIfCut() {
    long seen = bytes;
    call.vertx()
        .setTimer(
            DRAIN_MILLIS,
            later -> {
              if (!partEnded && !writing && seen == bytes) {
                refuse(new Problem(ProblemCode.BAD_REQUEST, "The form has no end."));
              } else {
                finishIfDone(); // some were still on their way
              }
            });
  }

  private void finishIfDone() {
    if (!requestEnded || writing || over || closed) {
      return;
    }
    if (!partEnded) {
      refuseIfCut();
      return;
    }
    if (source == null) {
      refuse(new Problem(ProblemCode.BAD_REQUEST, "The form has no file."));
    } else if (pending.length() > 0) {
      writePiece();
    } else if (bytes == 0) {
      refuse(new Problem(ProblemCode.BAD_REQUEST, "The file is empty."));
    } else {
      complete();
    }
  }

  private void complete() {
    over = true;
    writing = true;
    String hash = HexFormat.of().formatHex(sha256.digest());
    workers
        .executeBlocking(
            () -> {
              uploads.complete(id, bytes, hash);
              return null;
            },
            false)
        .onComplete(
            done -> {
              writing = false;
              if (closed) {
                discardUnlessKept();
              } else if (done.succeeded()) {
                answer(hash);
              } else {
                failed(done.cause());
              }
            });
  }

  private void answer(String hash) {
    call.response()
        .setStatusCode(CREATED)
        .putHeader("Content-Type", "application/json")
        .end(
            new ObjectMapper()
                .createObjectNode()
                .put("upload_id", id.toString())
                .put("bytes", bytes)
                .put("sha256", hash)
                .toString());
  }

  private void failed(Throwable cause) {
    over = false;
    if (cause instanceof SQLException e && DISK_FULL.equals(e.getSQLState())) {
      refuse(UploadsApi.full());
    } else {
      LOG.error("An upload cannot be kept: {}", cause.getMessage());
      refuse(new Problem(ProblemCode.DB_UNAVAILABLE, "The database does not answer."));
    }
  }

  private void refuse(Problem problem) {
    if (!over) {
      over = true;
      Guard.refuse(call, problem);
    }
  }

  private void discardUnlessKept() {
    if (kept || writing || id == null) {
      return; // while it writes, the end of that comes here
    }
    UUID unfinished = id;
    workers
        .executeBlocking(
            () -> {
              uploads.discard(unfinished);
              return null;
            },
            false)
        .onFailure(e -> LOG.warn("An upload was not discarded yet: {}", e.getMessage()));
  }
}
