package dev.caravan.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.address.AllowedHosts;
import dev.caravan.database.Database;
import dev.caravan.database.TenantReads;
import dev.caravan.secret.Secrets;
import dev.caravan.setup.RefusedSetup.Finding;
import dev.caravan.setup.jdbc.ConnectionTable;
import dev.caravan.setup.jdbc.ProjectTable;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What connections and projects of the API are held to, on real tables. */
class ProjectsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TENANT = Connections.OPERATOR;
  private static final String HOST_KEY =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
  private static final int MAX_CHARS = 262_144;

  private final TestDatabase test = TestDatabase.create();
  private final Sql sql = new Sql(test.url(), null, null);
  private Database database;
  private Connections connections;
  private Projects projects;
  private StoredConnection connection;

  @BeforeEach
  void open() throws SQLException {
    database = Database.open("test", test.url(), null, null, 3);
    database.migrate();
    TenantReads reads = TenantReads.prepare(database.dataSource());
    Secrets secrets = Secrets.of(Secrets.newKey());
    AllowedHosts hosts = new AllowedHosts(List.of("127.0.0.0/8"));
    connections =
        new Connections(
            new ConnectionTable(database.dataSource(), reads, secrets), List.of(), hosts, secrets);
    projects =
        new Projects(
            new ProjectTable(database.dataSource(), reads, secrets),
            List.of(),
            connections,
            new ProjectRules(hosts, true, true, project -> {}));
    connection =
        connections.create(
            TENANT, "warehouse", null, "postgresql://u:secret@127.0.0.1/d?sslmode=require");
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static ObjectNode project(String name) {
    ObjectNode project = JSON.createObjectNode();
    project.put("project", name).put("connection", "warehouse");
    project
        .putObject("sftp")
        .put("host", "127.0.0.1")
        .put("username", "u")
        .put("password", "secret")
        .put("remote_path", "/export");
    project
        .putArray("tables")
        .addObject()
        .put("file_pattern", "*.csv")
        .put("target_table", "t")
        .put("primary_key", "id");
    return project;
  }

  private static ObjectNode sftp(ObjectNode project) {
    return (ObjectNode) project.get("sftp");
  }

  private static void refused(ThrowingCallable call, String at, String detail) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            RefusedSetup.class,
            e -> {
              assertThat(e.isConflict()).isFalse();
              assertThat(e.findings()).extracting(Finding::at).containsExactly(at);
              assertThat(e.findings().get(0).detail()).contains(detail);
            });
  }

  @ParameterizedTest
  @CsvSource({
    "host,127.0.0.2",
    "username,v",
    "host_key,ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
    "known_hosts,/etc/known"
  })
  void aNewLoginOfAProjectNeedsTheSecretAgain(String key, String other) throws SQLException {
    ObjectNode before = project("p");
    sftp(before).put("host_key", HOST_KEY);
    if (key.equals("known_hosts")) {
      sftp(before).remove("host_key");
    }
    projects.create(TENANT, before.toString());
    ObjectNode after = before.deepCopy();
    sftp(after).put("password", "***").put(key, other);
    refused(
        () -> projects.replace(TENANT, "p", after.toString()),
        "/sftp/password",
        "host, port, username or host key is another");
    sftp(after).put("password", "given again");
    assertThat(projects.replace(TENANT, "p", after.toString())).isPresent();
    sftp(after).put("password", "***").put("remote_path", "/elsewhere");
    assertThat(projects.replace(TENANT, "p", after.toString())).isPresent();
    assertThat(projects.config("p").orElseThrow().sftp().server().orElseThrow().password())
        .hasValue("given again");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "postgresql://u:***@127.0.0.1/d?sslmode=disable",
        "postgresql://u:***@127.0.0.1/d",
        "postgresql://u:***@127.0.0.2/d?sslmode=require",
        "postgresql://u:***@127.0.0.1:5433/d?sslmode=require",
        "postgresql://v:***@127.0.0.1/d?sslmode=require"
      })
  void aNewLoginOfAConnectionNeedsThePasswordAgain(String url) throws SQLException {
    refused(
        () -> connections.replace(TENANT, connection.id(), "warehouse", null, url),
        "/database_url",
        "");
    String again = url.replace("***", "again");
    assertThat(connections.replace(TENANT, connection.id(), "warehouse", null, again)).isPresent();
    String otherDatabase = url.replace("/d", "/e");
    assertThat(connections.replace(TENANT, connection.id(), "warehouse", null, otherDatabase))
        .isPresent();
  }

  /** A project whose text has so many characters. */
  private static String ofLength(int chars) {
    ObjectNode project = project("large");
    while (project.toString().length() < chars - 900) {
      project
          .withArray("tables")
          .addObject()
          .put("file_pattern", "x".repeat(200) + project.get("tables").size() + "*.csv")
          .put("target_table", "t")
          .put("primary_key", "id");
    }
    String text = project.toString();
    sftp(project).put("remote_path", "/export/" + "y".repeat(chars - text.length() - 1));
    return project.toString();
  }

  @Test
  void aProjectHasALongestText() throws SQLException {
    assertThat(ofLength(MAX_CHARS)).hasSize(MAX_CHARS);
    refused(
        () -> projects.create(TENANT, ofLength(MAX_CHARS + 1)),
        "",
        "found 262145 characters; allowed are 262144");
    assertThat(projects.create(TENANT, ofLength(MAX_CHARS)).name()).isEqualTo("large");
  }

  private void fill(long count, int chars) throws SQLException {
    sql.execute(
        """
        INSERT INTO caravan.project (id, tenant, name, connection_id, config)
        SELECT gen_random_uuid(), 'other', 'n' || lpad(i::text, 6, '0'), '%s',
          json_build_object('x', repeat('y', %d)) FROM generate_series(1, %d) i"""
            .formatted(connection.id(), chars, count));
  }

  @Test
  void oneMoreThanMemoryHasRoomForIsRefused() throws SQLException {
    long most = Runtime.getRuntime().maxMemory() / 50_000;
    fill(most - 1, 1);
    projects.create(TENANT, project("last").toString());
    assertThatThrownBy(() -> projects.create(TENANT, project("next").toString()))
        .isInstanceOfSatisfying(RefusedSetup.class, e -> assertThat(e.isConflict()).isTrue())
        .hasMessageContaining("There are %d projects".formatted(most));
    ObjectNode changed = project("last");
    sftp(changed).put("remote_path", "/changed");
    assertThat(projects.replace(TENANT, "last", changed.toString())).isPresent();
  }

  @Test
  void aListHasAllNamesAndNotMoreConfigurationsThanMemoryHasRoomFor() throws SQLException {
    fill(30, 250_000);
    List<StoredProject> all = projects.list("other", "", Optional.empty());
    assertThat(all).hasSize(30).extracting(StoredProject::name).isSorted();
    assertThat(
            all.stream().filter(p -> p.config() != null).mapToInt(p -> p.config().length()).sum())
        .isBetween(3_000_000, 4_000_000);
    assertThat(all.get(29).config()).isNull();
    List<StoredProject> page = projects.list("other", all.get(27).name(), Optional.of(2));
    assertThat(page).extracting(StoredProject::name).containsExactly("n000029", "n000030");
    assertThat(page.get(1).config()).isNotNull();
  }
}
