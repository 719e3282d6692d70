from nightmail_ticker.main import main

main()
