package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.CamelHeaders;
import dev.caravan.testing.ExchangeRecorder;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.spi.CamelEvent.ExchangeCreatedEvent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What no honest client sends. */
class HostileRequestsTest {

  private static final ApiDocument DOCUMENT = ApiDocument.load();
  private static final String OPEN = "(the connection is still open)";

  /** Bodies that reach a route and change nothing there. */
  private static final Map<String, String> BODIES =
      Map.of(
          "POST /api/v1/keys", "{\"name\":\"n\",\"role\":\"viewer\"}",
          "POST /api/v1/import", "{\"project\":\"none\"}",
          "PUT /api/v1/jobs/{job_id}/rejects/{line}", "{\"raw\":\"x\"}",
          "POST /api/v1/connections", "{\"name\":\"n\",\"database_url\":\"x\"}",
          "PUT /api/v1/connections/{id}", "{\"name\":\"n\",\"database_url\":\"x\"}",
          "POST /api/v1/projects", "{}",
          "PUT /api/v1/projects/{name}", "{}",
          "POST /api/v1/sync/data-entries/{module_id}", "{\"provider_type\":\"x\",\"year\":2025}",
          "POST /api/v1/sync/factors/{module_id}/{factor_type_id}",
              "{\"provider_type\":\"x\",\"year\":2025}");

  @TempDir static Path folder;
  private static TestCaravan caravan;
  private static Api admin;
  private static ExchangeRecorder recorder;

  @BeforeAll
  static void start() throws Exception {
    caravan =
        TestCaravan.start(
            TestDatabase.create(),
            folder,
            """
            project: up
            connection: warehouse
            defaults: {file_pattern: "*.csv", primary_key: id}
            schedule: {cron: "0 0 0 1 1 ? 2099"}
            """);
    admin = caravan.as("default", Role.ADMIN);
    recorder = ExchangeRecorder.in(caravan.context(), ExchangeCreatedEvent.class);
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static HttpResponse<String> call(Operation operation, Api api) {
    String name = operation.method() + " " + operation.template();
    String path =
        operation
            .template()
            .replace("{line}", "1")
            .replace("{name}", "none")
            .replaceAll(
                "\\{[^}]+}",
                name.contains("/sync/") ? "99" : new UUID(0, name.hashCode()).toString());
    String json = BODIES.get(name);
    return json == null
        ? api.send(operation.method(), path)
        : api.with("Content-Type", "application/json")
            .send(operation.method(), path, json.getBytes(StandardCharsets.UTF_8));
  }

  private static Api injecting(List<String> names) {
    Map<String, String> headers = new LinkedHashMap<>(admin.headers());
    names.forEach(name -> headers.put(name, CamelHeaders.MARK));
    return new Api(admin.base(), headers);
  }

  @Test
  void headersThatSteerCamelReachNoRouteOfAnyCall() {
    List<List<String>> groups = CamelHeaders.inGroups(200);
    Set<String> withoutRoute = new TreeSet<>();
    for (Operation operation : DOCUMENT.operations()) {
      recorder.names();
      int status = call(operation, admin).statusCode();
      Set<String> plain = recorder.names();
      if (plain.isEmpty()) {
        withoutRoute.add(operation.method() + " " + operation.template());
      }
      for (List<String> names : groups) {
        HttpResponse<String> answer = call(operation, injecting(names));
        assertThat(answer.statusCode()).as("%s", operation.template()).isEqualTo(status);
        assertThat(answer.body() + answer.headers().map()).doesNotContain(CamelHeaders.MARK);
        assertThat(recorder.names()).as("%s", operation.template()).isEqualTo(plain);
      }
    }
    assertThat(withoutRoute)
        .containsExactly("GET /api/v1/jobs/{job_id}/events", "POST /api/v1/uploads");
  }

  @Test
  void fieldsAndPartsOfAFormReachNoJob() {
    String plainForm =
        part("file\"; filename=\"plain.csv", "Content-Type: text/csv\r\n", "id\n1\n");
    load(List.of(upload(admin, plainForm)), "plain.csv");
    Set<String> plain = recorder.names();
    List<String> ids = new ArrayList<>();
    List<List<String>> groups = CamelHeaders.inGroups(20); // a part's head has 1 KiB at the most
    for (List<String> names : groups.subList(0, groups.size() / 3)) {
      String headers =
          names.stream()
              .map(n -> n + ": " + CamelHeaders.MARK + "\r\n")
              .collect(Collectors.joining());
      String fields =
          names.stream().map(n -> part(n, "", CamelHeaders.MARK)).collect(Collectors.joining());
      String name = "file\"; filename=\"f" + ids.size() + ".csv";
      ids.add(upload(admin, fields + part(name, headers, "id\n1\n")));
    }
    load(ids, "f0.csv");
    assertThat(recorder.names()).isEqualTo(plain);
  }

  private static String part(String name, String headers, String text) {
    return "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n%s\r\n%s\r\n"
        .formatted(name, headers, text);
  }

  private static String upload(Api api, String form) {
    HttpResponse<String> answer =
        api.with("Content-Type", "multipart/form-data; boundary=b")
            .send("POST", "/api/v1/uploads", (form + "--b--\r\n").getBytes(StandardCharsets.UTF_8));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    return Api.json(answer).at("/upload_id").asText();
  }

  private static void load(List<String> uploads, String file) {
    recorder.names();
    String ids = uploads.stream().collect(Collectors.joining("\",\"", "[\"", "\"]"));
    HttpResponse<String> answer =
        admin.post("/api/v1/import", "{\"project\":\"up\",\"uploads\":" + ids + "}");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    assertThat(caravan.awaitEnd(file).state()).isEqualTo("completed");
  }

  private static String login() {
    return "Authorization: " + admin.headers().get("Authorization") + "\r\n";
  }

  /** All that the server says to these bytes until it closes or has nothing to say for a while. */
  private static String said(String bytes) {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), admin.base().getPort())) {
      socket.setSoTimeout(300);
      socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
      socket.getInputStream().transferTo(answer);
    } catch (SocketTimeoutException e) {
      answer.writeBytes(OPEN.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // closed by the server before it had read all
    }
    return answer.toString(StandardCharsets.ISO_8859_1);
  }

  /** The status of each answer. */
  private static List<String> statuses(String said) {
    return Pattern.compile("HTTP/1\\.[01] (\\d{3})")
        .matcher(said)
        .results()
        .map(m -> m.group(1))
        .toList();
  }

  private static String post(String headers, String body) {
    return "POST /api/v1/keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + login()
        + headers
        + "\r\n"
        + body;
  }

  /** Where a proxy in front could see one request and we two. */
  @Test
  void noBodyHidesASecondRequest() {
    String hidden = "GET /api/v1/keys HTTP/1.1\r\nHost: x\r\n" + login() + "\r\n";
    String json = "{\"name\":\"n\",\"role\":\"viewer\"}";
    String chunk = Integer.toHexString(json.length()) + "\r\n" + json + "\r\n0\r\n\r\n";
    String length = "Content-Length: " + json.length() + "\r\n";
    String chunked = "Transfer-Encoding: chunked\r\n";
    Map<String, String> requests = new LinkedHashMap<>();
    requests.put("both", post(length + chunked, chunk + hidden));
    requests.put("both, chunked first", post(chunked + length, chunk + hidden));
    requests.put("two lengths", post(length + "Content-Length: 3\r\n", json + hidden));
    requests.put("a list of lengths", post("Content-Length: 29, 3\r\n", json + hidden));
    requests.put("a signed length", post("Content-Length: +29\r\n", json + hidden));
    requests.put("a negative length", post("Content-Length: -1\r\n", json + hidden));
    requests.put("no number", post("Content-Length: 0x1d\r\n", json + hidden));
    requests.put("space before the colon", post("Content-Length : 29\r\n", json + hidden));
    requests.put("another coding", post("Transfer-Encoding: xchunked\r\n", chunk + hidden));
    requests.put("two codings", post("Transfer-Encoding: chunked, identity\r\n", chunk + hidden));
    requests.put("no size of a chunk", post("Transfer-Encoding: chunked\r\n", "zz\r\n" + hidden));
    requests.put("a folded header", post("X-A: a\r\n " + length, json + hidden));
    requests.put("a NUL in a header", post("X-A: a\0b\r\n" + length, json + hidden));
    requests.put("no version", "GET /api/v1/keys\r\n" + login() + "\r\n" + hidden);
    requests.put("another version", hidden.replace("HTTP/1.1", "HTTP/3.0") + hidden);
    requests.put("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden);
    requests.put(
        "codings in two lines", post(chunked + "Transfer-Encoding: gzip\r\n", chunk + hidden));
    requests.put(
        "a coding before HTTP/1.1", post(chunked, chunk + hidden).replace("HTTP/1.1", "HTTP/1.0"));
    requests.put(
        "both before HTTP/1.1",
        post(length + chunked, chunk + hidden).replace("HTTP/1.1", "HTTP/1.0"));
    Map<String, String> taken = new LinkedHashMap<>();
    requests.forEach(
        (what, bytes) -> {
          String said = said(bytes);
          List<String> statuses = statuses(said);
          if (!List.of("400").containsAll(statuses) || said.endsWith(OPEN)) {
            taken.put(what, said);
          }
        });
    assertThat(taken).isEmpty();
    assertThat(statuses(said(requests.get("both")))).containsExactly("400");
    assertThat(statuses(said(post(length, json) + hidden))).containsExactly("201", "200");
    assertThat(statuses(said(post(chunked, chunk) + hidden))).containsExactly("201", "200");
  }

  @Test
  void aHeadThatIsTooLargeIsRefused() {
    String many = "X-Many: 0123456789\r\n".repeat(1000);
    assertThat(said("GET /api/v1/keys HTTP/1.1\r\n" + many + login() + "\r\n"))
        .matches("(?s)HTTP/1.. 431.*");
    assertThat(said("GET /" + "x".repeat(10_000) + " HTTP/1.1\r\n" + login() + "\r\n"))
        .matches("(?s)HTTP/1.. 414.*");
    assertThat(said("X".repeat(100_000))).doesNotContain("HTTP/1.1 2");
  }

  @Test
  void clientsThatStopHalfwayKeepNobodyWaiting() throws IOException {
    List<Socket> halfway = new ArrayList<>();
    try {
      for (int i = 0; i < 300; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), admin.base().getPort());
        halfway.add(socket);
        String begun = i % 2 == 0 ? "GET /api/v1/keys HTT" : post("Content-Length: 99\r\n", "{");
        socket.getOutputStream().write(begun.getBytes(StandardCharsets.US_ASCII));
      }
      for (int i = 0; i < 50; i++) {
        Instant asked = Instant.now();
        assertThat(admin.get("/api/v1/keys").statusCode()).isEqualTo(200);
        // Half of what ends the others.
        assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(15));
      }
    } finally {
      for (Socket socket : halfway) {
        socket.close();
      }
    }
  }
}
