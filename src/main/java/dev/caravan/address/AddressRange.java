package dev.caravan.address;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Stream;

/**
 * Addresses that begin with the same bits.
 *
 * @param bits how many of them count
 */
record AddressRange(InetAddress first, int bits) {

  /**
   * What is no address of a receiver out there: this machine, its networks, documentation,
   * multicast, and what wraps an IPv4 address in another way than Java unwraps. Of IPv6 only
   * 2000::/3 is public at all, so the rest is not listed.
   */
  private static final List<AddressRange> SPECIAL =
      Stream.of(
              "0.0.0.0/8",
              "10.0.0.0/8",
              "100.64.0.0/10",
              "127.0.0.0/8",
              "168.63.129.16/32", // metadata of Azure, public by its looks
              "169.254.0.0/16",
              "172.16.0.0/12",
              "192.0.0.0/24",
              "192.0.2.0/24",
              "192.88.99.0/24",
              "192.168.0.0/16",
              "198.18.0.0/15",
              "198.51.100.0/24",
              "203.0.113.0/24",
              "224.0.0.0/3",
              "2001::/23",
              "2001:db8::/32",
              "2002::/16",
              "3fff::/20")
          .map(AddressRange::parse)
          .toList();

  private static final AddressRange GLOBAL_IPV6 = parse("2000::/3");

  /**
   * Reads {@code address/bits}.
   *
   * @throws IllegalArgumentException for anything else, also for a name in place of the address
   */
  static AddressRange parse(String text) {
    String[] parts = text.split("/", -1);
    // Only what is no name for certain: the parser would look it up.
    if (parts.length != 2 || !parts[0].matches("[0-9.]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*")) {
      throw new IllegalArgumentException(text);
    }
    try {
      InetAddress first = InetAddress.getByName(parts[0]);
      int bits = Integer.parseInt(parts[1]);
      if (bits < 0 || bits > first.getAddress().length * 8) {
        throw new IllegalArgumentException(text);
      }
      return new AddressRange(first, bits);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /** True for an address out there; IPv4-mapped ones are IPv4 addresses to Java. */
  static boolean isPublic(InetAddress address) {
    return (address.getAddress().length == 4 || GLOBAL_IPV6.contains(address))
        && SPECIAL.stream().noneMatch(range -> range.contains(address));
  }

  boolean contains(InetAddress address) {
    byte[] mine = first.getAddress();
    byte[] other = address.getAddress();
    if (mine.length != other.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      int mask = 0x80 >> bit % 8;
      if (((mine[bit / 8] ^ other[bit / 8]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }
}
