package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.access.Role;
import dev.caravan.secret.Secrets;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import dev.caravan.torture.TcpProxy;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionsApiTest {

  private static final String CANARY = "canary-4711";
  private static final String PATH = "/api/v1/connections";

  @TempDir static Path folder;
  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final String KEY = Secrets.newKey();
  private static TestCaravan caravan;
  private static Api admin;
  private static String server;

  @BeforeAll
  static void start() throws Exception {
    server = DATABASE.url().replaceFirst("^jdbc:postgresql://([^/]+)/.*", "$1");
    caravan =
        TestCaravan.start(
            DATABASE,
            folder,
            Map.of(
                "caravan.secrets.key", KEY, "caravan.connections.allow", "127.0.0.0/8,localhost"));
    admin = caravan.as("a", Role.ADMIN);
  }

  @AfterAll
  static void stop() {
    caravan.close();
  }

  private static String body(String name, String url) {
    return "{\"name\":\"%s\",\"description\":\"d\",\"database_url\":\"%s\"}".formatted(name, url);
  }

  private static String url(String password) {
    return "postgresql://caravan:" + password + "@" + server + "/" + databaseName();
  }

  private static String databaseName() {
    return DATABASE.url().replaceFirst(".*/([a-z0-9]+)[?].*", "$1");
  }

  private static String created(Api api, String name) {
    HttpResponse<String> made = api.post(PATH, body(name, url(CANARY)));
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    assertThat(made.body()).contains("caravan:***@").doesNotContain(CANARY);
    String id = Api.json(made).at("/id").asText();
    assertThat(made.headers().firstValue("Location")).hasValue(PATH + "/" + id);
    return id;
  }

  private static HttpResponse<String> put(Api api, String id, String body) {
    return api.with("Content-Type", "application/json")
        .send("PUT", PATH + "/" + id, body.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void isKeptShownTriedChangedAndDeletedAndItsPasswordIsNeverSeen() {
    String id = created(admin, "one");
    assertThat(admin.get(PATH).body()).contains("\"one\"").doesNotContain("database_url", CANARY);
    assertThat(admin.get(PATH + "/" + id).body()).contains("***").doesNotContain(CANARY);
    assertThat(admin.send("POST", PATH + "/" + id + "/test").body())
        .isEqualTo("{\"ok\":true,\"message\":null}");
    HttpResponse<String> changed = put(admin, id, body("two", url("***")));
    assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
    assertThat(changed.body()).contains("two", "***");
    assertThat(caravan.texts("SELECT c::text FROM caravan.connection c").toString())
        .doesNotContain(CANARY);
    assertThat(caravan.texts("SELECT encode(encrypted, 'escape') FROM caravan.secret").toString())
        .doesNotContain(CANARY);
    assertThat(admin.send("DELETE", PATH + "/" + id).statusCode()).isEqualTo(204);
    assertThat(admin.get(PATH + "/" + id).statusCode()).isEqualTo(404);
    assertThat(caravan.texts("SELECT 1 FROM caravan.secret WHERE owner = '" + id + "'")).isEmpty();
  }

  @Test
  void isTriedOnceAndTheServersRefusalIsTheAnswer() throws Exception {
    try (TcpProxy network = new TcpProxy(Integer.parseInt(server.replaceFirst(".*:", "")))) {
      String there = "127.0.0.1:" + network.port() + "/";
      Map<String, String> refusals =
          Map.of(
              "postgresql://nobody:" + CANARY + "@" + there + databaseName(),
              "role \"nobody\" does not exist",
              "postgresql://caravan:" + CANARY + "@" + there + "nowhere",
              "database \"nowhere\" does not exist");
      for (Map.Entry<String, String> refusal : refusals.entrySet()) {
        String name = "refused" + network.connections();
        String id = Api.json(admin.post(PATH, body(name, refusal.getKey()))).at("/id").asText();
        int before = network.connections();
        HttpResponse<String> answer = admin.send("POST", PATH + "/" + id + "/test");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(Api.json(answer).at("/ok").asBoolean(true)).isFalse();
        assertThat(Api.json(answer).at("/message").asText())
            .contains("connection '" + name + "'", refusal.getValue())
            .doesNotContain(CANARY);
        assertThat(network.connections()).isEqualTo(before + 1);
        DataSource database = // as a load asks for it
            caravan
                .context()
                .getRegistry()
                .lookupByNameAndType("connection-" + id, DataSource.class);
        assertThatThrownBy(database::getConnection).hasMessageContaining(refusal.getValue());
        assertThat(network.connections()).isEqualTo(before + 2);
      }
    }
  }

  @Test
  void aNewHostPortOrUserNeedsThePasswordAgain() {
    String id = created(admin, "bound");
    for (String other :
        new String[] {
          "postgresql://caravan@localhost:1/d",
          "postgresql://caravan:***@" + server.replaceFirst(":\\d+", ":1") + "/d",
          "postgresql://other:***@" + server + "/d",
          "postgresql://" + server + "/d"
        }) {
      HttpResponse<String> refused = put(admin, id, body("bound", other));
      assertThat(refused.statusCode()).as(other).isEqualTo(422);
      assertThat(Api.json(refused).at("/errors/0/at").asText()).isEqualTo("/database_url");
    }
    assertThat(put(admin, id, body("bound", "postgresql://o:new@" + server + "/d")).statusCode())
        .isEqualTo(200);
  }

  @Test
  void otherTenantsHaveTheirOwnAndSeeNoOther() {
    Api other = caravan.as("b", Role.ADMIN);
    String id = created(admin, "same");
    String others = created(other, "same");
    String nothing = admin.get(PATH + "/" + UUID.randomUUID()).body();
    assertThat(admin.get(PATH + "/" + others).body()).isEqualTo(nothing);
    assertThat(put(admin, others, body("x", url("x"))).statusCode()).isEqualTo(404);
    assertThat(admin.send("DELETE", PATH + "/" + others).statusCode()).isEqualTo(404);
    assertThat(admin.send("POST", PATH + "/" + others + "/test").statusCode()).isEqualTo(404);
    assertThat(other.get(PATH).body()).contains(others).doesNotContain(id, "warehouse");
    assertThat(admin.post(PATH, body("same", url("x"))).statusCode()).isEqualTo(409);
  }

  @Test
  void thoseOfTheSettingsAreReadOnly() {
    Api operator = caravan.as("default", Role.ADMIN);
    String id = Api.json(operator.get(PATH)).at("/connections/0/id").asText();
    assertThat(operator.get(PATH).body()).contains("warehouse", "\"read_only\":true");
    assertThat(operator.send("POST", PATH + "/" + id + "/test").body()).contains("true");
    assertThat(put(operator, id, body("x", url("x"))).statusCode()).isEqualTo(409);
    assertThat(operator.send("DELETE", PATH + "/" + id).statusCode()).isEqualTo(409);
    assertThat(operator.post(PATH, body("warehouse", url("x"))).statusCode()).isEqualTo(409);
  }

  @Test
  void goesNowhereThatTheOperatorDoesNotAllow() {
    for (String host :
        new String[] {"10.1.2.3", "169.254.169.254", "[::1]", "0x7f.1", "192.168.0.1"}) {
      HttpResponse<String> refused =
          admin.post(PATH, body("inside", "postgresql://u:p@" + host + "/d"));
      assertThat(refused.statusCode()).as(host).isEqualTo(422);
      assertThat(Api.json(refused).at("/errors/0/at").asText()).isEqualTo("/database_url");
    }
  }

  @Test
  void isOpenedWhenItIsFirstUsedAndAnewAfterAChange() throws Exception {
    String id = created(admin, "lazy");
    DataSource database =
        caravan.context().getRegistry().lookupByNameAndType("connection-" + id, DataSource.class);
    try (var session = database.getConnection()) {
      assertThat(session.getCatalog()).isEqualTo(databaseName());
      put(admin, id, body("lazy", "postgresql://caravan:***@" + server + "/postgres"));
      org.awaitility.Awaitility.await()
          .atMost(java.time.Duration.ofSeconds(10))
          .until(() -> catalog(database).equals("postgres"));
      assertThat(session.isValid(1)).isTrue();
    }
    admin.send("DELETE", PATH + "/" + id);
    org.awaitility.Awaitility.await()
        .atMost(java.time.Duration.ofSeconds(10))
        .untilAsserted(
            () -> assertThatThrownBy(() -> catalog(database)).hasMessageContaining("is gone"));
  }

  private static String catalog(DataSource database) throws java.sql.SQLException {
    try (var session = database.getConnection()) {
      return session.getCatalog();
    }
  }

  @Test
  void aSecretThatCannotBeReadBreaksWhatNeedsItAndNothingElse() throws Exception {
    TestDatabase database = TestDatabase.create();
    Map<String, String> settings =
        Map.of("caravan.secrets.key", KEY, "caravan.connections.allow", "127.0.0.0/8");
    try (TestCaravan first = TestCaravan.start(database, folder, settings)) {
      created(first.as("a", Role.ADMIN), "one");
    }
    for (String key : new String[] {"", Secrets.newKey()}) {
      try (TestCaravan other =
          TestCaravan.start(
              database,
              folder,
              Map.of("caravan.secrets.key", key, "caravan.connections.allow", "127.0.0.0/8"))) {
        assertThat(tried(other)).contains("caravan.secrets.key: the key with the id ");
      }
    }
    new Sql(database.url(), null, null)
        .execute("UPDATE caravan.secret SET encrypted = encrypted || '\\x00'");
    try (TestCaravan damaged = TestCaravan.start(database, folder, settings)) {
      assertThat(tried(damaged)).contains("does not open");
    }
  }

  /** What a try of the only connection of tenant a says. */
  private static String tried(TestCaravan caravan) {
    Api admin = caravan.as("a", Role.ADMIN);
    String id = Api.json(admin.get(PATH)).at("/connections/0/id").asText();
    return admin.send("POST", PATH + "/" + id + "/test").body();
  }

  @Test
  void withoutAKeyNoPasswordIsKept() throws Exception {
    try (TestCaravan keyless =
        TestCaravan.start(
            TestDatabase.create(), folder, Map.of("caravan.connections.allow", "127.0.0.0/8"))) {
      HttpResponse<String> refused =
          keyless.as("a", Role.ADMIN).post(PATH, body("one", url(CANARY)));
      assertThat(refused.statusCode()).isEqualTo(422);
      assertThat(refused.body()).contains("caravan.secrets.key").doesNotContain(CANARY);
    }
  }
}
