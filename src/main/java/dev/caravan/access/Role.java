package dev.caravan.access;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a caller may do; each role may do what the ones before it may. */
public enum Role {
  /** Reads. */
  VIEWER,
  /** Triggers, cancels, retries, uploads, and works on rejects. */
  OPERATOR,
  /** Manages connections, projects and keys. */
  ADMIN;

  /** As keys, tokens and the OpenAPI document write it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The role of that text, written exactly so. */
  public static Optional<Role> of(String text) {
    return Arrays.stream(values()).filter(role -> role.text().equals(text)).findFirst();
  }

  /** True when a caller of this role may do what needs the other. */
  public boolean covers(Role needed) {
    return compareTo(needed) >= 0;
  }
}
