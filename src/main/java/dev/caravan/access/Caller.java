package dev.caravan.access;

import java.util.regex.Pattern;

/**
 * Who calls, as its credential says.
 *
 * @param tenant whose rows it sees; compared as a whole
 * @param role what it may do
 * @param id of the API key, or the subject of the token
 */
public record Caller(String tenant, Role role, String id) {

  private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  /**
   * A caller.
   *
   * @throws IllegalArgumentException when there is no such tenant name
   */
  public Caller {
    if (!isTenant(tenant)) {
      throw new IllegalArgumentException("a tenant is named by 1 to 63 of A-Z a-z 0-9 . _ -");
    }
  }

  /** True for what a tenant may be called. */
  public static boolean isTenant(String name) {
    return name != null && TENANT.matcher(name).matches();
  }
}
