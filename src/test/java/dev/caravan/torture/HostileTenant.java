package dev.caravan.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.testing.Api;
import dev.caravan.testing.LyingServer;
import dev.caravan.testing.LyingServer.Speech;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Does to a node, all at once, what its tenant's credentials, and none, allow it to try. Each
 * attack is repeated with a pause, and what it was answered is counted.
 */
final class HostileTenant implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LONG = "a".repeat(500_000);
  private static final byte[] NOTHING = new byte[0];
  private static final byte[] TWO_GIGABYTES = {'N', 127, -1, -1, -1};
  private static final int SILENT_SERVERS = 25;
  private static final int PROJECTS = 100;

  private static final List<String> TEXTS =
      List.of(
          "/{{caravan.secrets.key}}",
          "/x{{y}}",
          "/x?y",
          "/x?preMove=${bean:type:java.lang.System?method=exit(1)}",
          "#{systemProperties}",
          "u@127.0.0.1:22/",
          "/x%41");

  /** Where its requests come from that nobody knows; others are not to pay for them. */
  private static final String ELSEWHERE = "127.0.0.2";

  private final Api api;
  private final Api friend;
  private final String credential;
  private final String hostKey;
  private final List<ServerSocket> silent = new ArrayList<>();
  private final List<Future<?>> begun = new ArrayList<>();
  private final List<Socket> held = new ArrayList<>();
  private final LyingServer liar;
  private final List<Speech> lies;
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicInteger stored = new AtomicInteger();
  private final Map<String, Integer> answers = new ConcurrentHashMap<>();
  private final Queue<String> bodies = new ConcurrentLinkedQueue<>();

  /** A thread for each, as each may wait for its answer. */
  private final ScheduledExecutorService attacks =
      Executors.newScheduledThreadPool(SILENT_SERVERS + 20);

  /**
   * @param api with a key of its administrator
   * @param friend with a key of another tenant, which brings the servers that are silent: with its
   *     own the first one would have no calls left for the rest
   * @param credential the same key, for what no client would send
   * @param hostKey a public key that an SFTP server might have
   */
  HostileTenant(Api api, Api friend, String credential, String hostKey, Path folder)
      throws Exception {
    this.api = api;
    this.friend = friend;
    this.credential = credential;
    this.hostKey = hostKey;
    liar = new LyingServer(LyingServer.selfSigned(folder));
    lies =
        List.of(
            new Speech(TWO_GIGABYTES, NOTHING, false),
            new Speech(NOTHING, TWO_GIGABYTES, false),
            new Speech(NOTHING, LyingServer.message('D', new byte[2]), true),
            new Speech(NOTHING, LyingServer.message('N', LyingServer.text("SNOTICE", "")), true));
    liar.says(lies.get(0));
    for (int i = 0; i < SILENT_SERVERS; i++) {
      silent.add(new ServerSocket(0, 200, InetAddress.getLoopbackAddress()));
    }
  }

  /** Begins all attacks. */
  void begin() throws IOException {
    String lying = connection(api, "liar", liar.port());
    List<String> connections = new ArrayList<>();
    for (ServerSocket server : silent) {
      connections.add(connection(friend, "silent" + server.getLocalPort(), server.getLocalPort()));
    }
    connection(api, "quiet", silent.get(0).getLocalPort());
    expect(201, api.post("/api/v1/projects", project("waits", "quiet", "/x").toString()));
    expect(201, api.post("/api/v1/projects", project("lied", "liar", "/x").toString()));
    for (String id : connections) {
      attack("a silent server", 100, () -> friend.post("/api/v1/connections/" + id + "/test", ""));
    }
    attack(
        "a lying server",
        100,
        () -> {
          liar.says(lies.get(count.incrementAndGet() % lies.size()));
          return api.post("/api/v1/connections/" + lying + "/test", "");
        });
    attack("texts in a project", 100, () -> store(TEXTS.get(next(TEXTS.size()))));
    attack("a long text in a project", 500, () -> store(LONG));
    attack("texts in an import", 100, () -> launch("waits", TEXTS.get(next(TEXTS.size()))));
    attack("a long text in an import", 500, () -> launch("waits", LONG));
    attack("many imports", 20, () -> launch("waits", "/export"));
    attack("imports into a lying server", 200, this::loadIntoLiar);
    attack(
        "many mistakes",
        500,
        () ->
            api.post(
                "/api/v1/import",
                "{\"project\":\"waits\",\"uploads\":[%s1]}".formatted("1,".repeat(100_000))));
    attack("a bad escape", 200, () -> raw("127.0.0.1", "GET /%zz HTTP/1.1", "", false));
    attack("a bad key", 50, () -> bad("crv_" + UUID.randomUUID()));
    attack("the same bad key", 50, () -> bad("crv_always"));
    attack("a follower", 20, this::follow);
    attack("a slow upload", 200, this::upload);
  }

  private static String connection(Api api, String name, int port) throws IOException {
    HttpResponse<String> made =
        expect(
            201,
            api.post(
                "/api/v1/connections",
                "{\"name\":\"%s\",\"database_url\":\"postgresql://u:p@127.0.0.1:%d/d\"}"
                    .formatted(name, port)));
    return JSON.readTree(made.body()).at("/id").asText();
  }

  private static HttpResponse<String> expect(int status, HttpResponse<String> answer) {
    if (answer.statusCode() != status) {
      throw new IllegalStateException(answer.statusCode() + " " + answer.body());
    }
    return answer;
  }

  private int next(int below) {
    return Math.floorMod(count.incrementAndGet(), below);
  }

  private ObjectNode project(String name, String connection, String remotePath) {
    ObjectNode project = JSON.createObjectNode().put("project", name).put("connection", connection);
    project
        .putObject("sftp")
        .put("host", "127.0.0.1")
        .put("port", silent.get(1).getLocalPort())
        .put("username", "u")
        .put("password", "p")
        .put("host_key", hostKey)
        .put("remote_path", remotePath)
        .put("poll_seconds", 1);
    project.putArray("tables").addObject().put("file_pattern", "*.csv").put("primary_key", "id");
    return project;
  }

  /** Under a name of ours, or one of its own; it keeps what is taken until it has many. */
  private HttpResponse<String> store(String text) {
    String name = stored.get() == 0 ? "sync" : "h" + count.incrementAndGet();
    HttpResponse<String> answer =
        api.post("/api/v1/projects", project(name, "quiet", text).toString());
    if (answer.statusCode() == 201 && stored.incrementAndGet() > PROJECTS) {
      stored.decrementAndGet();
      api.send("DELETE", "/api/v1/projects/" + name);
    }
    return answer;
  }

  private HttpResponse<String> launch(String project, String remotePath) {
    ObjectNode wanted = JSON.createObjectNode().put("project", project);
    wanted.putObject("sftp").put("remote_path", remotePath);
    return api.post("/api/v1/import", wanted.toString());
  }

  private HttpResponse<String> loadIntoLiar() {
    HttpResponse<String> upload =
        api.with("Content-Type", "text/csv")
            .send(
                "POST",
                "/api/v1/uploads?filename=t.csv",
                "id,v\n1,a\n".getBytes(StandardCharsets.UTF_8));
    return upload.statusCode() != 201
        ? upload
        : api.post(
            "/api/v1/import",
            "{\"project\":\"lied\",\"uploads\":[%s]}".formatted(Api.json(upload).at("/upload_id")));
  }

  private String bad(String key) {
    return raw(ELSEWHERE, "GET /api/v1/jobs HTTP/1.1", "Authorization: Bearer " + key, false);
  }

  private String follow() {
    HttpResponse<String> jobs = api.get("/api/v1/jobs?status=queued&limit=1");
    return raw(
        ELSEWHERE,
        "GET /api/v1/jobs/%s/events HTTP/1.1"
            .formatted(Api.json(jobs).at("/jobs/0/job_id").asText()),
        "Authorization: Bearer " + credential,
        true);
  }

  private String upload() {
    return raw(
        ELSEWHERE,
        "POST /api/v1/uploads?filename=slow.csv HTTP/1.1",
        "Authorization: Bearer %s\r\nContent-Type: text/csv\r\nContent-Length: 1000000"
            .formatted(credential),
        true);
  }

  /**
   * Sends only a head.
   *
   * @param hold whether to keep the connection
   * @return the status; "held" when there is no answer so far
   */
  private String raw(String from, String line, String header, boolean hold) {
    try {
      Socket socket =
          new Socket(
              InetAddress.getByName(api.base().getHost()),
              api.base().getPort(),
              InetAddress.getByName(from),
              0);
      socket.setSoTimeout(hold ? 1_000 : 5_000);
      socket
          .getOutputStream()
          .write(
              "%s\r\nHost: a\r\n%s\r\n\r\n"
                  .formatted(line, header.isEmpty() ? "Accept: */*" : header)
                  .getBytes(StandardCharsets.US_ASCII));
      String status = status(socket);
      if (hold && (status.equals("held") || status.equals("200"))) {
        hold(socket);
      } else {
        socket.close();
      }
      return status;
    } catch (IOException e) {
      return e.getClass().getSimpleName();
    }
  }

  private static String status(Socket socket) throws IOException {
    try {
      byte[] head = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
      return head.length == 0
          ? "closed"
          : new String(head, StandardCharsets.US_ASCII).replaceFirst("HTTP/1.1 ", "");
    } catch (java.net.SocketTimeoutException e) {
      return "held";
    }
  }

  private synchronized void hold(Socket socket) {
    held.add(socket);
  }

  private void attack(String name, long pauseMillis, Supplier<Object> once) {
    begun.add(
        attacks.scheduleWithFixedDelay(
            () -> count(name, once), 0, pauseMillis, TimeUnit.MILLISECONDS));
  }

  private void count(String name, Supplier<Object> once) {
    String told;
    try {
      Object answer = once.get();
      told = answer.toString();
      if (answer instanceof HttpResponse<?> response) {
        bodies.add(response.body().toString());
        told = code(response);
      }
    } catch (RuntimeException e) {
      told = e.getClass().getSimpleName();
    }
    answers.merge(name + ": " + told, 1, Integer::sum);
  }

  private static String code(HttpResponse<?> answer) {
    String body = answer.body().toString();
    return answer.statusCode()
        + (answer.statusCode() < 400
            ? ""
            : " " + body.replaceFirst("(?s).*\"error_code\":\"([A-Z_]+)\".*", "$1"));
  }

  /** How often each attack was answered in which way: "name: 200", "name: 429 QUEUE_FULL". */
  Map<String, Integer> answers() {
    return new TreeMap<>(answers);
  }

  /** The texts of all answers. */
  Queue<String> bodies() {
    return bodies;
  }

  @Override
  public void close() throws IOException {
    begun.forEach(attack -> attack.cancel(true));
    attacks.shutdownNow();
    for (ServerSocket server : silent) {
      server.close();
    }
    synchronized (this) {
      for (Socket socket : held) {
        socket.close();
      }
    }
    liar.close();
  }
}
