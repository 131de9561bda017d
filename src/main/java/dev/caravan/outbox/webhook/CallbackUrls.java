package dev.caravan.outbox.webhook;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which URLs may be called back. How a host is written does not matter: what counts is every
 * address that it stands for, looked up once for each connection and then connected to.
 */
public final class CallbackUrls {

  private static final int ANY_PORT = -1;
  private static final int MAX_LENGTH = 2_000;
  private static final Pattern NUMBER = Pattern.compile("[0-9.]+");
  private static final Pattern IPV4 =
      Pattern.compile("(0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}");
  private static final Pattern HOST_PORT =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?");

  private final Set<Integer> ports;
  private final Set<Trusted> trusted = new HashSet<>();
  private final List<AddressRange> ranges = new ArrayList<>();
  private final Names names;

  /** Where names are looked up. */
  interface Names {
    InetAddress[] lookUp(String host) throws UnknownHostException;
  }

  /** A host whose addresses are not asked about, and one port or those that are allowed anyway. */
  private record Trusted(String host, int port) {}

  /**
   * @param allow exceptions that the operator trusts: {@code host}, {@code host:port} (which allows
   *     the port, too) or a range of addresses as {@code address/bits}
   * @param ports allowed beside 80 and 443
   * @throws CaravanException CONFIG_INVALID for an exception that is none of these
   */
  public CallbackUrls(List<String> allow, Set<Integer> ports) {
    this(allow, ports, InetAddress::getAllByName);
  }

  CallbackUrls(List<String> allow, Set<Integer> ports, Names names) {
    this.ports = new HashSet<>(ports);
    this.ports.addAll(Set.of(80, 443));
    this.names = names;
    allow.forEach(this::allow);
  }

  private void allow(String exception) {
    try {
      Matcher host = HOST_PORT.matcher(exception);
      if (exception.contains("/")) {
        ranges.add(AddressRange.parse(exception));
        return;
      } else if (host.matches()) {
        int port = host.group(2) == null ? ANY_PORT : Integer.parseInt(host.group(2));
        trusted.add(new Trusted(plain(host.group(1)), port));
        return;
      }
    } catch (IllegalArgumentException e) {
      // named below, as anything else that is wrong
    }
    throw new CaravanException(
        FailureCode.CONFIG_INVALID,
        "found '%s'; allowed is a host, host:port or address/bits".formatted(exception));
  }

  /**
   * Checks an URL that is to be called when a job ends. Looks its host up, which may take seconds:
   * not for use inside a transaction.
   *
   * @throws CaravanException CALLBACK_REFUSED
   */
  public void check(String url) {
    URI uri = parse(url);
    int port = port(uri);
    String host = plain(uri.getHost());
    if (isTrusted(host, port) || (isTrusted(host, ANY_PORT) && ports.contains(port))) {
      return; // may be down, and in a container's network have no name then
    }
    try {
      addresses(host, port);
    } catch (UnknownHostException e) {
      throw refused("host '%s' has no address".formatted(host));
    }
  }

  /** All that can be said without looking the host up. */
  URI parse(String url) {
    if (url.length() > MAX_LENGTH) {
      throw refused("it is longer than %d characters".formatted(MAX_LENGTH));
    }
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw refused("it is no URL: %s at character %d".formatted(e.getReason(), e.getIndex()));
    }
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw refused("it begins with '%s:'".formatted(scheme));
    }
    if (uri.getRawAuthority() != null && uri.getRawAuthority().contains("@")) {
      throw refused("it has a user before its host");
    }
    if (uri.getHost() == null) {
      throw refused("it has no host, or one with characters that no host has");
    }
    if (NUMBER.matcher(uri.getHost()).matches() && !IPV4.matcher(uri.getHost()).matches()) {
      throw refused("its host is a number that not everybody reads the same way");
    }
    return uri;
  }

  /** For a connection: every address of the host, each of them allowed. */
  List<InetSocketAddress> addresses(String host, int port) throws UnknownHostException {
    String name = plain(host);
    boolean trustedPort = isTrusted(name, port);
    if (!trustedPort && !ports.contains(port)) {
      throw refused("it goes to port %d".formatted(port));
    }
    InetAddress[] found = names.lookUp(name);
    boolean trustedHost = trustedPort || isTrusted(name, ANY_PORT);
    if (!trustedHost && !Arrays.stream(found).allMatch(this::isAllowed)) {
      throw refused("host '%s' is not, or not only, at public addresses".formatted(name));
    }
    return Arrays.stream(found).map(address -> new InetSocketAddress(address, port)).toList();
  }

  private boolean isAllowed(InetAddress address) {
    return AddressRange.isPublic(address) || ranges.stream().anyMatch(r -> r.contains(address));
  }

  private boolean isTrusted(String host, int port) {
    return trusted.contains(new Trusted(host, port));
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
  }

  private static String plain(String host) {
    return host.toLowerCase(Locale.ROOT).replaceAll("^\\[|]$|[.]$", "");
  }

  /** The URL itself is not shown: its path and query may be what gives access. */
  private CaravanException refused(String why) {
    return new CaravanException(
        FailureCode.CALLBACK_REFUSED,
        "callback_url: %s; allowed are http and https to public addresses on ports %s, and what the operator adds by caravan.webhook.allow and caravan.webhook.ports"
            .formatted(why, ports.stream().sorted().toList()));
  }
}
