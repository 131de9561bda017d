package dev.caravan.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.jdbc.ApiKeys;
import dev.caravan.database.Database;
import dev.caravan.database.TenantReads;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ApiKeysTest {

  private final TestDatabase test = TestDatabase.create();
  private final Sql sql = new Sql(test.url(), null, null);
  private Database database;
  private ApiKeys keys;

  @BeforeEach
  void open() throws SQLException {
    database = Database.open("test", test.url(), null, null, 6);
    database.migrate();
    keys = new ApiKeys(database.dataSource(), TenantReads.prepare(database.dataSource()));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private Authenticator node() {
    return new Authenticator(keys, Optional.empty());
  }

  @Test
  void aBadKeyCostsOneQueryForAWhile() throws Exception {
    AtomicInteger queries = new AtomicInteger();
    Authenticator node =
        new Authenticator(
            new KeyLookup() {
              @Override
              public Optional<Known> find(String prefix) {
                queries.incrementAndGet();
                return Optional.empty();
              }

              @Override
              public void used(String prefix) {
                throw new IllegalStateException();
              }
            },
            Optional.empty());
    String bad = ApiKey.create().secret();
    assertThat(node.needsLookUp(bad)).isTrue();
    for (int i = 0; i < 100; i++) {
      assertThat(node.authenticate(bad)).isEmpty();
    }
    assertThat(queries).hasValue(1);
    assertThat(node.needsLookUp(bad)).isFalse();
  }

  @Test
  void aKeyIsItsTenantAndRole() throws Exception {
    ApiKey key = ApiKey.create();
    keys.create("acme", Role.OPERATOR, "n8n", key, null);
    assertThat(node().authenticate(key.secret()))
        .hasValueSatisfying(
            caller -> {
              assertThat(caller.tenant()).isEqualTo("acme");
              assertThat(caller.role()).isEqualTo(Role.OPERATOR);
            });
    assertThat(sql.value("SELECT last_used_at IS NOT NULL FROM caravan.api_key")).isEqualTo("t");
  }

  @Test
  void aKeyThatIsWrongInItsLastCharacterIsNone() throws Exception {
    ApiKey key = ApiKey.create();
    keys.create("acme", Role.VIEWER, "n", key, null);
    String secret = key.secret();
    char last = secret.charAt(secret.length() - 1);
    String wrong = secret.substring(0, secret.length() - 1) + (last == 'A' ? 'E' : 'A');
    for (String text :
        List.of(wrong, secret + "A", " " + secret, secret.toUpperCase(java.util.Locale.ROOT), "")) {
      assertThat(node().authenticate(text)).as(text).isEmpty();
    }
    assertThat(sql.value("SELECT last_used_at IS NULL FROM caravan.api_key")).isEqualTo("t");
  }

  @Test
  void aRevokedKeyIsRefusedOnEveryNodeWithinFiveSeconds() throws Exception {
    ApiKey key = ApiKey.create();
    keys.create("acme", Role.VIEWER, "n", key, null);
    Authenticator one = node();
    Authenticator two = node();
    assertThat(one.authenticate(key.secret())).isPresent();
    assertThat(two.authenticate(key.secret())).isPresent();
    UUID id = UUID.fromString(sql.value("SELECT id FROM caravan.api_key"));
    assertThat(keys.revoke("other", id)).isFalse();
    assertThat(keys.revoke("acme", id)).isTrue();
    await()
        .atMost(Duration.ofSeconds(5))
        .until(
            () ->
                one.authenticate(key.secret()).isEmpty()
                    && two.authenticate(key.secret()).isEmpty());
  }

  @Test
  void anExpiredKeyIsNone() throws Exception {
    ApiKey key = ApiKey.create();
    keys.create("acme", Role.VIEWER, "n", key, Instant.now().minusSeconds(1));
    assertThat(node().authenticate(key.secret())).isEmpty();
  }

  @Test
  void nodesThatStartTogetherMakeOneFirstKey() {
    List<ApiKey> first =
        IntStream.range(0, 5)
            .mapToObj(i -> ApiKey.create())
            .parallel()
            .filter(this::isFirst)
            .toList();
    assertThat(first).hasSize(1);
    assertThat(sql.rows("SELECT prefix, role, tenant FROM caravan.api_key"))
        .containsExactly(first.get(0).prefix() + "|admin|default");
    assertThat(isFirst(ApiKey.create())).isFalse();
  }

  private boolean isFirst(ApiKey key) {
    try {
      return keys.createFirst("default", "first", key);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void noSecretIsStoredOrShown() throws Exception {
    ApiKey key = ApiKey.create();
    String secret = key.secret().substring(key.secret().lastIndexOf('_') + 1);
    String shown = keys.create("acme", Role.VIEWER, "n", key, null) + keys.list("acme") + key;
    assertThat(shown).contains(key.prefix()).doesNotContain(secret, "sha256");
    assertThat(sql.value("SELECT string_agg(k::text, '') FROM caravan.api_key k"))
        .contains(key.prefix())
        .doesNotContain(secret);
  }

  @Test
  void aTenantSeesItsOwnKeysOnly() throws Exception {
    keys.create("a", Role.VIEWER, "of a", ApiKey.create(), null);
    keys.create("aa", Role.VIEWER, "of aa", ApiKey.create(), null);
    assertThat(keys.list("a")).contains("of a").doesNotContain("of aa");
    UUID id = UUID.fromString(sql.value("SELECT id FROM caravan.api_key WHERE tenant = 'aa'"));
    assertThat(keys.show("a", id)).isEmpty();
    assertThat(keys.show("aa", id)).isPresent();
  }
}
