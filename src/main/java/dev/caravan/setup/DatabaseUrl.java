package dev.caravan.setup;

import dev.caravan.database.Credentials;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The address of a PostgreSQL database: {@code postgresql://user:password@host:port/database}.
 *
 * @param username empty when there is none
 * @param password empty when there is none, or it is kept elsewhere
 * @param query options after the question mark; may be empty
 */
public record DatabaseUrl(
    String host,
    int port,
    String database,
    Optional<String> username,
    Optional<String> password,
    String query) {

  /** What stands for a password that is there and not shown. */
  public static final String MASK = "***";

  private static final int DEFAULT_PORT = 5432;

  /** Others name classes to load and files to read or write on this machine. */
  private static final Set<String> OPTIONS =
      Set.of("sslmode", "currentSchema", "connectTimeout", "socketTimeout");

  /**
   * Reads one.
   *
   * @throws RefusedSetup when it is none; the message never has its text, which may be a secret
   */
  public static DatabaseUrl parse(String text) {
    String plain = text.startsWith("jdbc:") ? text.substring("jdbc:".length()) : text;
    if (!plain.startsWith("postgresql://") && !plain.startsWith("postgres://")) {
      throw refused("found an URL of another kind");
    }
    try {
      return of(new URI(plain));
    } catch (URISyntaxException e) {
      throw refused("found no URL: %s at character %d".formatted(e.getReason(), e.getIndex()));
    }
  }

  private static DatabaseUrl of(URI uri) {
    if (uri.getHost() == null) {
      throw refused("found no host, or more than one");
    }
    String path = uri.getPath() == null ? "" : uri.getPath().replaceFirst("^/", "");
    if (path.isEmpty() || path.contains("/")) {
      throw refused("found no database after the host");
    }
    String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
    for (String option : query.isEmpty() ? new String[0] : query.split("&", -1)) {
      if (!OPTIONS.contains(option.replaceFirst("=.*", ""))) {
        throw refused("found an option that is not allowed; allowed are " + OPTIONS);
      }
    }
    Credentials login = Credentials.of(uri);
    return new DatabaseUrl(
        uri.getHost(),
        uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
        path,
        Optional.ofNullable(login.username()),
        Optional.ofNullable(login.password()).filter(p -> !p.equals(MASK) && !p.isEmpty()),
        query);
  }

  private static RefusedSetup refused(String found) {
    return RefusedSetup.invalid(
        "/database_url", found + "; allowed is postgresql://user:password@host:port/database");
  }

  /** The same with another password. */
  public DatabaseUrl withPassword(Optional<String> other) {
    return new DatabaseUrl(host, port, database, username, other, query);
  }

  /** True when a password for the one is meant for the other, too. */
  public boolean hasLoginOf(DatabaseUrl other) {
    return host.equalsIgnoreCase(other.host)
        && port == other.port
        && username.equals(other.username)
        && option("sslmode").equals(other.option("sslmode"));
  }

  /** The values of an option, as they are written; more than one is for the driver to judge. */
  private List<String> option(String name) {
    return Arrays.stream(query.split("&", -1)).filter(o -> o.startsWith(name + "=")).toList();
  }

  /** As JDBC has it, without a login. */
  public String jdbc() {
    return "jdbc:postgresql://%s:%d/%s%s"
        .formatted(host, port, encoded(database), query.isEmpty() ? "" : "?" + query);
  }

  /** Without a password. */
  public String stored() {
    return shown("");
  }

  /** To be shown: a password is masked. */
  public String masked(boolean hasPassword) {
    return shown(hasPassword ? ":" + MASK : "");
  }

  private String shown(String password) {
    return "postgresql://%s%s:%d/%s%s"
        .formatted(
            username.map(name -> encoded(name) + password + "@").orElse(""),
            host,
            port,
            encoded(database),
            query.isEmpty() ? "" : "?" + query);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Without the password. */
  @Override
  public String toString() {
    return masked(password.isPresent());
  }
}
