package dev.caravan;

import com.zaxxer.hikari.HikariDataSource;
import dev.caravan.Configuration.DatabaseLogin;
import dev.caravan.database.Database;
import dev.caravan.embedded.EmbeddedDatabase;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.Loader;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;

/**
 * The databases that loads go to, by their names in Camel's registry, and pools for what must not
 * wait for loads: the queue, callers, uploads.
 */
final class Databases {

  private static final int QUEUE_SESSIONS = 4;
  private static final int UPLOAD_SESSIONS = 4;
  private static final Duration API_PATIENCE = Duration.ofMillis(1500);

  /**
   * A node that hears nothing of the queue's database for so long looks for another connection, and
   * one that sleeps inside a transaction of it loses that.
   */
  private static final Duration QUEUE_SILENCE = Duration.ofSeconds(10);

  private final Configuration configuration;
  private final Started started;
  private final CamelContext context;
  private final DatabaseLogin login;
  private final DataSource queue;
  private final DataSource api;

  /** Opens all; the main one gets Caravan's tables, and is started embedded where none is set. */
  Databases(Configuration configuration, CamelContext context, Started started) {
    this.configuration = configuration;
    this.context = context;
    this.started = started;
    login = configuration.database().orElseGet(this::startEmbedded);
    open(Configuration.MAIN_CONNECTION, login).migrate();
    queue =
        pool(
            Database.open(
                "queue",
                login.url(),
                login.username(),
                login.password(),
                QUEUE_SESSIONS,
                QUEUE_SILENCE));
    configuration.connections().forEach(this::open);
    HikariDataSource callers =
        pool(
            Database.open(
                "api",
                login.url(),
                login.username(),
                login.password(),
                configuration.maxConnections(),
                QUEUE_SILENCE));
    // A caller is told that the database is away, not kept waiting for it.
    callers.setConnectionTimeout(API_PATIENCE.toMillis());
    api = callers;
  }

  private HikariDataSource pool(Database database) {
    return started.push(database).dataSource();
  }

  private DatabaseLogin startEmbedded() {
    EmbeddedDatabase database =
        started.push(
            EmbeddedDatabase.start(configuration.data(), configuration.embeddedDatabasePort()));
    started.address(
        "PostgreSQL",
        "postgresql://%s@127.0.0.1:%d/caravan (embedded; password in %s)"
            .formatted(
                database.username(),
                database.port(),
                configuration.data().resolve("postgres/caravan.password")));
    return new DatabaseLogin(database.jdbcUrl(), database.username(), database.password());
  }

  private Database open(String name, DatabaseLogin other) {
    Database database =
        started.push(
            Database.open(
                name,
                other.url(),
                other.username(),
                other.password(),
                configuration.maxConnections(),
                configuration.jobs().timeout().plusMinutes(1))); // no statement is longer
    try (Connection connection = database.dataSource().getConnection()) {
      Loader.prepare(connection);
    } catch (SQLException e) {
      throw new CaravanException(
          FailureCode.DB_ERROR, "Connection '%s': %s".formatted(name, e.getMessage()), e);
    }
    context.getRegistry().bind(name, database.dataSource());
    return database;
  }

  /** The login of the main database. */
  DatabaseLogin login() {
    return login;
  }

  /** For the queue alone: loads that use up their connections must not make the node look dead. */
  DataSource queue() {
    return queue;
  }

  /** For callers of the REST API. */
  DataSource api() {
    return api;
  }

  /** Opens a pool for uploads: their transactions are long. */
  DataSource openForUploads() {
    return pool(
        Database.open("uploads", login.url(), login.username(), login.password(), UPLOAD_SESSIONS));
  }

  /** A database by its name: of the settings, or of a tenant. */
  DataSource named(String name) {
    return context.getRegistry().lookupByNameAndType(name, DataSource.class);
  }

  /** The main database, as loads have it. */
  DataSource main() {
    return named(Configuration.MAIN_CONNECTION);
  }
}
