package dev.caravan.sync;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;

/**
 * Finds providers among the routes. The route {@code sync-<module type>-<provider type>-<target>}
 * is one, such as {@code sync-travel-tableau_api-data_entries}; the module type {@code any} stands
 * for all. Beside it, {@code check-…} of the same name only validates the connection.
 */
public final class ProviderRoutes {

  /** The module type of a provider for all of them. */
  static final String ANY = "any";

  private static final Pattern SYNC =
      Pattern.compile("sync-([a-z0-9_]+)-([a-z0-9_]+)-([a-z0-9_]+)");

  private final CamelContext context;

  /**
   * The two routes of one provider; each is called as {@code direct:<route>}.
   *
   * @param syncRoute validates, fetches, transforms and loads
   * @param checkRoute only validates the connection
   */
  public record Provider(
      String moduleType, String providerType, String target, String syncRoute, String checkRoute) {

    private static Optional<Provider> of(String routeId) {
      var name = SYNC.matcher(routeId);
      return name.matches()
          ? Optional.of(
              new Provider(
                  name.group(1),
                  name.group(2),
                  name.group(3),
                  routeId,
                  routeId.replaceFirst("sync", "check")))
          : Optional.empty();
    }

    private boolean does(String otherModule, String otherProvider, String otherTarget) {
      return moduleType.equals(otherModule)
          && providerType.equals(otherProvider)
          && target.equals(otherTarget);
    }

    private String shown() {
      return "(%s, %s, %s)".formatted(moduleType, providerType, target);
    }
  }

  /** Looks among the routes that the context has at the time of each call. */
  public ProviderRoutes(CamelContext context) {
    this.context = context;
  }

  /** All providers, by their names. */
  public List<Provider> all() {
    return providers().sorted(Comparator.comparing(Provider::syncRoute)).toList();
  }

  private Stream<Provider> providers() {
    return context.getRoutes().stream().flatMap(route -> Provider.of(route.getId()).stream());
  }

  /**
   * The provider for a module type, or else the one for any.
   *
   * @throws CaravanException NO_PROVIDER when there is none, or its route to validate the
   *     connection is missing
   */
  public Provider find(String moduleType, String providerType, String target) {
    Provider provider =
        Stream.of(moduleType, ANY)
            .flatMap(module -> providers().filter(p -> p.does(module, providerType, target)))
            .findFirst()
            .orElseThrow(() -> none(moduleType, providerType, target));
    if (context.getRoute(provider.checkRoute()) == null) {
      throw new CaravanException(
          FailureCode.NO_PROVIDER,
          "The provider %s has no route %s, which validates its connection."
              .formatted(provider.shown(), provider.checkRoute()));
    }
    return provider;
  }

  private CaravanException none(String moduleType, String providerType, String target) {
    return new CaravanException(
        FailureCode.NO_PROVIDER,
        "There is no provider for module type '%s', provider type '%s' and target '%s'. There are: %s. One whose settings are empty is left out."
            .formatted(
                moduleType,
                providerType,
                target,
                all().isEmpty()
                    ? "none"
                    : String.join(", ", all().stream().map(Provider::shown).toList())));
  }
}
