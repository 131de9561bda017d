package dev.caravan.outbox.webhook;

import dev.caravan.address.AllowedHosts;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Which URLs may be called back. How a host is written does not matter: what counts is every
 * address that it stands for, looked up once for each connection and then connected to.
 */
public final class CallbackUrls {

  private static final int MAX_LENGTH = 2_000;

  private final Set<Integer> ports;
  private final AllowedHosts hosts;

  /**
   * @param allow exceptions that the operator trusts: {@code host}, {@code host:port} (which allows
   *     the port, too) or a range of addresses as {@code address/bits}
   * @param ports allowed beside 80 and 443
   * @throws CaravanException CONFIG_INVALID for an exception that is none of these
   */
  public CallbackUrls(List<String> allow, Set<Integer> ports) {
    this(allow, ports, InetAddress::getAllByName);
  }

  CallbackUrls(List<String> allow, Set<Integer> ports, AllowedHosts.Names names) {
    this.ports = new HashSet<>(ports);
    this.ports.addAll(Set.of(80, 443));
    try {
      this.hosts = new AllowedHosts(allow, names);
    } catch (IllegalArgumentException e) {
      throw new CaravanException(FailureCode.CONFIG_INVALID, e.getMessage(), e);
    }
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
    String host = uri.getHost();
    if (hosts.trusts(host, port) || (hosts.trusts(host) && ports.contains(port))) {
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
    if (AllowedHosts.isOddNumber(uri.getHost())) {
      throw refused("its host is a number that not everybody reads the same way");
    }
    return uri;
  }

  /** For a connection: every address of the host, each of them allowed. */
  List<InetSocketAddress> addresses(String host, int port) throws UnknownHostException {
    boolean trustedPort = hosts.trusts(host, port);
    if (!trustedPort && !ports.contains(port)) {
      throw refused("it goes to port %d".formatted(port));
    }
    InetAddress[] found = hosts.lookUp(host);
    boolean trustedHost = trustedPort || hosts.trusts(host);
    if (!trustedHost && !Arrays.stream(found).allMatch(hosts::allows)) {
      throw refused("host '%s' is not, or not only, at public addresses".formatted(host));
    }
    return Arrays.stream(found).map(address -> new InetSocketAddress(address, port)).toList();
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
  }

  /** The URL itself is not shown: its path and query may be what gives access. */
  private CaravanException refused(String why) {
    return new CaravanException(
        FailureCode.CALLBACK_REFUSED,
        "callback_url: %s; allowed are http and https to public addresses on ports %s, and what the operator adds by caravan.webhook.allow and caravan.webhook.ports"
            .formatted(why, ports.stream().sorted().toList()));
  }
}
