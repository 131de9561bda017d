package dev.caravan.address;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Public addresses, and what the operator adds. How a host is written does not matter: what counts
 * is every address that it stands for.
 */
public final class AllowedHosts {

  private static final int ANY_PORT = -1;
  private static final String ODD_NUMBER =
      "the host is a number that not everybody reads the same way";
  private static final String NOT_PUBLIC = "the host is not, or not only, at public addresses";
  private static final Pattern NUMBER = Pattern.compile("[0-9.]+|0[xX].*");
  private static final Pattern IPV4 =
      Pattern.compile("(0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}");
  private static final Pattern HOST_PORT =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?");

  private final Set<Trusted> trusted = new HashSet<>();
  private final List<AddressRange> ranges = new ArrayList<>();
  private final Names names;

  /** Where names are looked up. */
  @FunctionalInterface
  public interface Names {
    /** All addresses of a host. */
    InetAddress[] lookUp(String host) throws UnknownHostException;
  }

  /** A host whose addresses are not asked about, at one port or at any. */
  private record Trusted(String host, int port) {}

  /**
   * @param allow exceptions that the operator trusts: {@code host}, {@code host:port} or a range of
   *     addresses as {@code address/bits}
   * @throws IllegalArgumentException for an exception that is none of these; its message says so
   */
  public AllowedHosts(List<String> allow) {
    this(allow, InetAddress::getAllByName);
  }

  /** As above, for names that are looked up elsewhere. */
  public AllowedHosts(List<String> allow, Names names) {
    this.names = names;
    allow.forEach(this::allow);
  }

  private void allow(String exception) {
    Matcher host = HOST_PORT.matcher(exception);
    try {
      if (exception.contains("/")) {
        ranges.add(AddressRange.parse(exception));
        return;
      }
    } catch (IllegalArgumentException e) {
      throw none(exception, e);
    }
    if (!host.matches()) {
      throw none(exception, null);
    }
    int port = host.group(2) == null ? ANY_PORT : Integer.parseInt(host.group(2));
    trusted.add(new Trusted(plain(host.group(1)), port));
  }

  private static IllegalArgumentException none(String exception, Throwable cause) {
    return new IllegalArgumentException(
        "found '%s'; allowed is a host, host:port or address/bits".formatted(exception), cause);
  }

  /** True when the operator named host and port together. */
  public boolean trusts(String host, int port) {
    return trusted.contains(new Trusted(plain(host), port));
  }

  /** True when the operator named the host, for any port that is allowed anyway. */
  public boolean trusts(String host) {
    return trusted.contains(new Trusted(plain(host), ANY_PORT));
  }

  /** True for a public address, and one in a range that the operator added. */
  public boolean allows(InetAddress address) {
    return AddressRange.isPublic(address) || ranges.stream().anyMatch(r -> r.contains(address));
  }

  /** The addresses of a host, as it is written in an URL. */
  public InetAddress[] lookUp(String host) throws UnknownHostException {
    return names.lookUp(plain(host));
  }

  /**
   * The addresses that a connection to a host may go to now; looks it up.
   *
   * @throws IOException when the host has no address, or one that is not allowed
   */
  public List<InetAddress> addresses(String host, int port) throws IOException {
    boolean trusted = trusts(host, port) || trusts(host);
    if (!trusted && isOddNumber(host)) {
      throw new IOException(ODD_NUMBER);
    }
    InetAddress[] found = lookUp(host);
    if (!trusted && !Arrays.stream(found).allMatch(this::allows)) {
      throw new IOException(NOT_PUBLIC);
    }
    return List.of(found);
  }

  /** Why no connection goes to a host at any port; looks it up. */
  public Optional<String> refusal(String host, int port) {
    if (trusts(host, port) || trusts(host)) {
      return Optional.empty(); // may be down, and in a container's network have no name then
    }
    if (isOddNumber(host)) {
      return Optional.of(ODD_NUMBER);
    }
    try {
      return Arrays.stream(lookUp(host)).allMatch(this::allows)
          ? Optional.empty()
          : Optional.of(NOT_PUBLIC);
    } catch (UnknownHostException e) {
      return Optional.of("the host has no address");
    }
  }

  /** True for what one program reads as this address and another as that. */
  public static boolean isOddNumber(String host) {
    return NUMBER.matcher(host).matches() && !IPV4.matcher(host).matches();
  }

  private static String plain(String host) {
    return host.toLowerCase(Locale.ROOT).replaceAll("^\\[|]$|[.]$", "");
  }
}
