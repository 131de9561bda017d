package dev.caravan.source.tableau;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Flights of 2025, the same for the same seed, and some of 2024 behind them. Of every ten, the
 * first has another CO2 in the changed variant; of every thousand, the last has a date that is
 * none.
 */
record Flights(long seed, int count, boolean changed) {

  private static final String[] AIRPORTS = {"GVA", "CDG", "LHR", "JFK", "NRT", "ZRH", "PVG"};
  private static final String[] CLASSES = {
    "AIR ECONOMY CLASS", "AIR BUSINESS CLASS", "AIR FIRST CLASS", "AIR PREMIUM ECONOMY", null
  };

  Flights withChanges() {
    return new Flights(seed, count, true);
  }

  /** Flights of both years. */
  int total() {
    return count + count / 10;
  }

  Map<String, Object> flight(int i) {
    SplittableRandom random = new SplittableRandom(seed + i);
    int year = i < count ? 2025 : 2024;
    int from = random.nextInt(AIRPORTS.length);
    int to = (from + 1 + random.nextInt(AIRPORTS.length - 1)) % AIRPORTS.length;
    double km = 200 + random.nextInt(1_000_000) / 100.0;
    double co2 = km * 0.15 + random.nextDouble();
    Map<String, Object> flight = new LinkedHashMap<>();
    flight.put("Sciper", String.valueOf(100_000 + random.nextInt(300_000)));
    flight.put("Centre financier", "F%04d".formatted(random.nextInt(500)));
    flight.put(
        "IN_Departure date",
        i % 1_000 == 999
            ? year + "0230"
            : "%d%02d%02d".formatted(year, 1 + random.nextInt(12), 1 + random.nextInt(28)));
    flight.put("IN_Segment origin", "Airport " + AIRPORTS[from]);
    flight.put("IN_Segment destination", "Aéroport \"" + AIRPORTS[to] + "\"");
    flight.put("IN_Segment origin airport code", AIRPORTS[from]);
    flight.put("IN_Segment destination airport code", AIRPORTS[to]);
    flight.put("IN_Segment class", CLASSES[i % CLASSES.length]);
    flight.put("IN_Supplier", "SUPPLIER " + random.nextInt(50));
    flight.put("IN_Ticket number", "125 %010d".formatted(i));
    flight.put("TRANSPORT_TYPE", "Plane");
    flight.put("ROUND_TRIP", i % 3 == 0 ? "YES" : "NO");
    flight.put("OUT_DISTANCE_CORRECTED", km);
    flight.put("OUT_CO2_CORRECTED", changed && i % 10 == 0 ? co2 + 1 : co2);
    return flight;
  }
}
