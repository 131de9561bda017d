package dev.caravan.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.postgresql.PGConnection;

/** One PostgreSQL database: its pool, and Caravan's tables in it. */
public final class Database implements AutoCloseable {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration RETRY = Duration.ofMillis(250);

  private final HikariDataSource dataSource;

  private Database(HikariDataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * Opens a pool.
   *
   * @param name of the connection, for logs and JMX
   * @param url {@code jdbc:postgresql://host:port/database} or, as libpq writes it, {@code
   *     postgresql://user:password@host:port/database}
   * @param username may be null when the URL has it
   * @param password may be null when the URL has it or none is needed
   * @param maxConnections at the most, at the same time
   * @throws CaravanException CONFIG_INVALID for another kind of URL, DB_UNAVAILABLE when nobody
   *     answers
   */
  public static Database open(
      String name, String url, String username, String password, int maxConnections) {
    return open(name, url, username, password, maxConnections, Duration.ZERO);
  }

  /**
   * As above, with a limit to how long one side may hear nothing of the other: the pool while the
   * server works on a statement, the server between the statements of a transaction. Without it,
   * when the network swallows packets, a thread here waits for ever, and locks there are held for
   * ever.
   *
   * @param silence 0 for no limit
   */
  public static Database open(
      String name,
      String url,
      String username,
      String password,
      int maxConnections,
      Duration silence) {
    return open(name, url, username, password, maxConnections, silence, Map.of(), true);
  }

  /**
   * As above, with properties of the driver; a server that does not let us in at once is not waited
   * for.
   *
   * @param properties as PostgreSQL's JDBC driver knows them
   */
  public static Database open(
      String name,
      String url,
      String username,
      String password,
      int maxConnections,
      Duration silence,
      Map<String, String> properties) {
    return open(name, url, username, password, maxConnections, silence, properties, false);
  }

  private static Database open(
      String name,
      String url,
      String username,
      String password,
      int maxConnections,
      Duration silence,
      Map<String, String> properties,
      boolean patient) {
    ParsedUrl login = ParsedUrl.of(name, url).as(username, password);
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(login.jdbcUrl());
    config.setUsername(login.username());
    config.setPassword(login.password());
    config.setMaximumPoolSize(maxConnections);
    config.setMinimumIdle(1);
    config.setConnectionTimeout(CONNECT_TIMEOUT.toMillis());
    config.setInitializationFailTimeout(CONNECT_TIMEOUT.toMillis());
    config.setRegisterMbeans(true);
    config.addDataSourceProperty("ApplicationName", "caravan");
    config.addDataSourceProperty("tcpKeepAlive", "true");
    config.addDataSourceProperty("reWriteBatchedInserts", "true");
    config.addDataSourceProperty("socketTimeout", String.valueOf(silence.toSeconds()));
    driver(properties).forEach((key, value) -> config.addDataSourceProperty((String) key, value));
    if (reach(name, login, config.getDataSourceProperties(), patient)) {
      // Each transaction may be in another session: no statement is kept there, and nothing is set.
      config.addDataSourceProperty("prepareThreshold", "0");
    } else {
      // The driver would keep every notice of a trigger until the statement ends; nobody reads
      // them.
      config.setConnectionInitSql(
          "SET client_min_messages = error; SET idle_in_transaction_session_timeout = "
              + silence.toMillis());
    }
    try {
      return new Database(new HikariDataSource(config));
    } catch (HikariPool.PoolInitializationException e) {
      throw unavailable(name, login, e);
    }
  }

  /**
   * Logs in once, without a pool, and leaves.
   *
   * @param properties as PostgreSQL's JDBC driver knows them
   * @throws CaravanException as {@link #open}
   */
  public static void check(
      String name, String url, String username, String password, Map<String, String> properties) {
    ParsedUrl login = ParsedUrl.of(name, url).as(username, password);
    try {
      logIn(login, driver(properties));
    } catch (SQLException e) {
      throw unavailable(name, login, e);
    }
  }

  /**
   * With a limit to the login. Without it one that is never answered holds the pool's only thread
   * that connects: the driver does not see what the pool gives to DriverManager (pgjdbc issue 879).
   */
  private static Properties driver(Map<String, String> properties) {
    Properties all = new Properties();
    all.setProperty("loginTimeout", String.valueOf(CONNECT_TIMEOUT.toSeconds()));
    all.putAll(properties);
    return all;
  }

  /**
   * Logs in and leaves. Who is patient waits for a server that is not up yet, but asks one that
   * refuses only once: it may lock the account.
   *
   * @return whether a pooler answered in the place of PostgreSQL
   */
  private static boolean reach(
      String name, ParsedUrl login, Properties properties, boolean patient) {
    long deadline = System.nanoTime() + CONNECT_TIMEOUT.toNanos();
    while (true) {
      try {
        return logIn(login, properties);
      } catch (SQLException e) {
        if (!patient || isRefused(e) || System.nanoTime() - deadline > 0) {
          throw unavailable(name, login, e);
        }
        pause(name, login, e);
      }
    }
  }

  private static void pause(String name, ParsedUrl login, SQLException why) {
    try {
      Thread.sleep(RETRY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(name, login, why);
    }
  }

  private static boolean logIn(ParsedUrl login, Properties properties) throws SQLException {
    Properties all = new Properties();
    all.putAll(properties);
    if (login.username() != null) {
      all.setProperty("user", login.username());
    }
    if (login.password() != null) {
      all.setProperty("password", login.password());
    }
    try (Connection connection = DriverManager.getConnection(login.jdbcUrl(), all)) {
      return isPooled(connection);
    }
  }

  /** PostgreSQL greets with the number of the process that serves; a pooler makes one up. */
  private static boolean isPooled(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT pg_backend_pid()")) {
      rows.next();
      return rows.getInt(1) != connection.unwrap(PGConnection.class).getBackendPID();
    }
  }

  /** The server answered, and will not say anything else: user, password or database is wrong. */
  private static boolean isRefused(SQLException e) {
    String state = e.getSQLState();
    return state != null && (state.startsWith("28") || state.startsWith("3D"));
  }

  private static CaravanException unavailable(String name, ParsedUrl login, Exception e) {
    return new CaravanException(
        FailureCode.DB_UNAVAILABLE,
        "Cannot connect to the database of connection '%s' at %s: %s"
            .formatted(name, login.shown(), rootMessage(e)),
        e);
  }

  /** An URL as {@link #open} takes it, to be shown: without credentials and options. */
  public static String shown(String name, String url) {
    return ParsedUrl.of(name, url).shown().replaceFirst("^jdbc:", "");
  }

  private static String rootMessage(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null && !(cause instanceof SQLException)) {
      cause = cause.getCause();
    }
    // The driver says that an attempt failed, and only the exception of the socket says why.
    return cause.getCause() instanceof IOException why && why.getMessage() != null
        ? cause.getMessage().replaceFirst("[.]$", "") + ": " + why.getMessage()
        : cause.getMessage();
  }

  /** Brings Caravan's own tables (schema {@code caravan}) to this version. */
  public void migrate() {
    try {
      Flyway.configure()
          .dataSource(dataSource)
          .locations("classpath:dev/caravan/database/migration")
          .defaultSchema("caravan")
          .createSchemas(true)
          // The ledger of loads may have come to the schema first.
          .baselineOnMigrate(true)
          .baselineVersion("0")
          .load()
          .migrate();
    } catch (FlywayException e) {
      throw new CaravanException(
          FailureCode.DB_ERROR, "Cannot migrate the tables of Caravan: " + e.getMessage(), e);
    }
  }

  /** The pool. */
  public HikariDataSource dataSource() {
    return dataSource;
  }

  @Override
  public void close() {
    dataSource.close();
  }

  /** A database URL, its credentials taken out so that it can be shown. */
  record ParsedUrl(String jdbcUrl, String username, String password) {

    static ParsedUrl of(String name, String url) {
      if (url.startsWith("jdbc:postgresql:")) {
        return new ParsedUrl(url, null, null);
      }
      if (!url.startsWith("postgresql://") && !url.startsWith("postgres://")) {
        throw invalid(name, "an URL of another kind");
      }
      try {
        return of(name, new URI(url));
      } catch (URISyntaxException e) {
        throw invalid(name, e.getReason() + " at character " + e.getIndex());
      }
    }

    private static ParsedUrl of(String name, URI uri) {
      if (uri.getHost() == null) {
        throw invalid(name, "an URL without a host");
      }
      Credentials login = Credentials.of(uri);
      String jdbc =
          "jdbc:postgresql://%s%s%s%s"
              .formatted(
                  uri.getHost(),
                  uri.getPort() < 0 ? "" : ":" + uri.getPort(),
                  uri.getRawPath(),
                  uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
      return new ParsedUrl(jdbc, login.username(), login.password());
    }

    /** Without a cause: the parser's exception quotes the URL, which may have a password. */
    private static CaravanException invalid(String name, String found) {
      return new CaravanException(
          FailureCode.CONFIG_INVALID,
          "connection '%s': url: found %s; allowed is jdbc:postgresql://host:port/database or postgresql://user:password@host:port/database."
              .formatted(name, found));
    }

    /** With another login; null leaves what is there. */
    ParsedUrl as(String otherUsername, String otherPassword) {
      return new ParsedUrl(
          jdbcUrl,
          otherUsername == null ? username : otherUsername,
          otherPassword == null ? password : otherPassword);
    }

    /** Without credentials, also those in the query. */
    String shown() {
      return jdbcUrl.replaceAll("[?].*", "").replaceAll("//[^/@]*@", "//");
    }
  }
}
