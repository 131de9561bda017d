package dev.caravan.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file that is many times the heap (-Xmx256m) goes in and comes out as a whole: {@code mvn
 * -Pbench test -Dtest=BigUploadTest -Dupload.megabytes=5120}.
 */
@Tag("bench")
class BigUploadTest {

  @TempDir Path folder;

  /** Lines of 64 bytes, made while they are read. */
  private static final class Lines extends InputStream {

    private static final byte[] HEADER = "id,text\n".getBytes(StandardCharsets.US_ASCII);
    private static final int LINE = 64;
    private final long lines;
    private byte[] current = HEADER;
    private int position;
    private long next;

    Lines(long lines) {
      this.lines = lines;
    }

    long length() {
      return HEADER.length + lines * LINE;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int written = 0;
      while (written < length) {
        if (position == current.length) {
          if (next == lines) {
            break;
          }
          current = line(next++);
          position = 0;
        }
        int n = Math.min(length - written, current.length - position);
        System.arraycopy(current, position, target, offset + written, n);
        position += n;
        written += n;
      }
      return written == 0 ? -1 : written;
    }

    private static byte[] line(long id) {
      byte[] line = new byte[LINE];
      Arrays.fill(line, (byte) 'x');
      byte[] start = "%012d,".formatted(id).getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(start, 0, line, 0, start.length);
      line[LINE - 1] = '\n';
      return line;
    }
  }

  @Test
  void anUploadManyTimesTheHeapIsTakenAndRead() throws Exception {
    long megabytes = Long.getLong("upload.megabytes", 1024);
    Lines lines = new Lines(megabytes * (1 << 20) / Lines.LINE);
    TestDatabase database = TestDatabase.create();
    try (TestCaravan caravan =
        TestCaravan.start(
            database, folder, Map.of("caravan.upload.max-bytes", String.valueOf(1L << 40)))) {
      Api api = caravan.as("default", Role.OPERATOR);
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(api.base() + "/api/v1/uploads?filename=big.csv"))
              .header("Content-Type", "text/csv")
              .POST(
                  HttpRequest.BodyPublishers.fromPublisher(
                      HttpRequest.BodyPublishers.ofInputStream(() -> lines), lines.length()));
      api.headers().forEach(request::header);
      long start = System.nanoTime();
      HttpResponse<String> answer =
          HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
      assertThat(Api.json(answer).at("/bytes").asLong()).isEqualTo(lines.length());
      System.out.printf("%d MB in %d s%n", megabytes, (System.nanoTime() - start) / 1_000_000_000);
      assertThat(caravan.texts("SELECT sum(octet_length(content))::text FROM caravan.upload_chunk"))
          .containsExactly(String.valueOf(lines.length()));
    }
  }
}
