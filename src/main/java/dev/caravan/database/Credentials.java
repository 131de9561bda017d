package dev.caravan.database;

import java.net.URI;

/**
 * User name and password as a URL has them.
 *
 * @param username null when there is none
 * @param password null when there is none
 */
public record Credentials(String username, String password) {

  /** Splits before decoding: a colon that is part of a name is written %3A. */
  public static Credentials of(URI uri) {
    String raw = uri.getRawUserInfo();
    if (raw == null || raw.isEmpty()) {
      return new Credentials(null, null);
    }
    int colon = raw.indexOf(':');
    return colon < 0
        ? new Credentials(decoded(raw), null)
        : new Credentials(decoded(raw.substring(0, colon)), decoded(raw.substring(colon + 1)));
  }

  private static String decoded(String raw) {
    return raw.isEmpty() ? "" : URI.create("x://" + raw + "@x").getUserInfo();
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "Credentials[" + username + ", ***]";
  }
}
