from nightmail_mailer.main import main

main()
