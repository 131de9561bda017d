package dev.caravan;

import dev.caravan.setup.Connections;
import dev.caravan.setup.Pools;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.apache.camel.spi.BeanRepository;

/** Finds the database of a stored connection by its name, on a node that never heard of it, too. */
record ConnectionBeans(Pools pools) implements BeanRepository {

  @Override
  public Object lookupByName(String name) {
    return Connections.ofBean(name).map(pools::of).orElse(null);
  }

  @Override
  public <T> T lookupByNameAndType(String name, Class<T> type) {
    return type.isAssignableFrom(DataSource.class) ? type.cast(lookupByName(name)) : null;
  }

  @Override
  public <T> Map<String, T> findByTypeWithName(Class<T> type) {
    return Map.of();
  }

  @Override
  public <T> Set<T> findByType(Class<T> type) {
    return Set.of();
  }
}
